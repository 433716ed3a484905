/** Typed requests: paths, parameters, bodies and answers are checked against the server's OpenAPI document. */
import createClient from "openapi-fetch";
import { exchange, problemFrom } from "./http";
import type { paths } from "./schema";

export const client = createClient<paths>({ baseUrl: new URL(document.baseURI).origin, fetch: exchange });

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a success; everything else is thrown as a `Problem`. */
export async function answer<T>(outcome: Promise<Outcome<T>>): Promise<T> {
  const { data, error, response } = await outcome;
  if (response.ok) return data as T;
  throw problemFrom(response, typeof error === "object" && error !== null ? (error as Record<string, unknown>) : {});
}

/** A key that lets the server answer a repeated write as it answered the first. */
export function repeatable(): { "Idempotency-Key": string } {
  return { "Idempotency-Key": crypto.randomUUID() };
}
