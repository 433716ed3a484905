/**
 * The one way to the server: cookies, the chosen profile, problem answers, and a single refresh when a session's access
 * token has run out, however many requests find out at once.
 */
import { chosenProfile } from "./profile-choice";

export const BASE = "/api/v1";
const REQUEST_TIMEOUT_MS = 20_000;

/** An answer that is not a success, in the server's words (RFC 9457) where it sent any. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail = "",
    readonly correlationId?: string,
    /** What is wrong with which field of the request. */
    readonly fields: Record<string, string> = {},
  ) {
    super(detail);
    this.name = "Problem";
  }

  /** No answer came at all. */
  get offline(): boolean {
    return this.status === 0;
  }
}

/** The 401 of a session that has run out; a wrong password is a 401 too, and asking again would only be wrong twice. */
const RUN_OUT = "unauthenticated";

/** Sends a request, with one refresh and one more try where the session needs it. Answers refusals, throws silence. */
export async function exchange(request: Request): Promise<Response> {
  const first = await once(request);
  if (await lostProfile(first)) return exchange(request);
  if (!(await hasRunOut(first))) return first;
  if (!(await refreshSession())) {
    announceSignedOut();
    return first;
  }
  const second = await once(request);
  if (await hasRunOut(second)) announceSignedOut();
  return second;
}

/** For uploads, which are not JSON: as `exchange`, but a refusal is thrown. */
export async function send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await exchange(new Request(new URL(path, document.baseURI), { ...init, method }));
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function once(request: Request): Promise<Response> {
  const copy = request.clone();
  const headers = new Headers(copy.headers);
  const profile = chosenProfile.get();
  if (profile) headers.set("X-Profile", profile);
  const isUpload = headers.has("Tus-Resumable");
  const signal = isUpload ? request.signal : AbortSignal.any([request.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
  try {
    return await fetch(new Request(copy, { headers, signal, credentials: "same-origin" }));
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    throw new Problem(0, "unreachable");
  }
}

/** The chosen profile was deleted, or is another account's: forgotten once, and the account's first one is asked instead. */
async function lostProfile(response: Response): Promise<boolean> {
  if (response.status !== 404 || chosenProfile.get() === undefined) return false;
  const problem = await problemOf(response.clone());
  if (problem.code !== "profile_not_found") return false;
  chosenProfile.set(undefined);
  return true;
}

async function hasRunOut(response: Response): Promise<boolean> {
  return response.status === 401 && (await problemOf(response.clone())).code === RUN_OUT;
}

export async function problemOf(response: Response): Promise<Problem> {
  let body: Record<string, unknown> = {};
  try {
    body = (await response.json()) as Record<string, unknown>;
  } catch {
    // Not JSON: a proxy in between answered. The status is all there is to say.
  }
  return problemFrom(response, body);
}

export function problemFrom(response: Response, body: Record<string, unknown>): Problem {
  const text = (name: string) => (typeof body[name] === "string" ? (body[name] as string) : undefined);
  const correlation = text("correlation_id") ?? response.headers.get("x-request-id") ?? undefined;
  return new Problem(
    response.status,
    text("code") ?? "http",
    text("detail") ?? text("title"),
    correlation,
    fieldsOf(body.errors),
  );
}

function fieldsOf(errors: unknown): Record<string, string> {
  if (!Array.isArray(errors)) return {};
  return Object.fromEntries(
    errors.map((error: { field?: unknown; message?: unknown }) => [String(error.field), String(error.message)]),
  );
}

let refreshing: Promise<boolean> | undefined;

/** One refresh for everyone who waits; true when the session lives on, false when it is over. Throws where nobody could say. */
export function refreshSession(): Promise<boolean> {
  refreshing ??= refreshOnce().finally(() => {
    refreshing = undefined;
  });
  return refreshing;
}

async function refreshOnce(): Promise<boolean> {
  const init = { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } };
  const response = await once(new Request(new URL(`${BASE}/auth/refresh`, document.baseURI), init));
  if (response.ok) return true;
  if (response.status === 401) return false;
  // Too many at once, or a server that is coming up: whoever is logged in stays so.
  const { correlationId } = await problemOf(response);
  throw new Problem(0, "unreachable", "", correlationId);
}

const signedOutListeners = new Set<() => void>();

/** Calls back when the server has ended the session. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

function announceSignedOut() {
  for (const listener of signedOutListeners) listener();
}
