/**
 * The one way to the server: cookies, profile header, idempotency keys, problem answers, and a single refresh when a
 * session's access token has run out, however many requests find out at once.
 */
import { chosenProfile } from "./profile-choice";

export const BASE = "/api/v1";
const REQUEST_TIMEOUT_MS = 20_000;

/** An answer that is not a success, in the server's words (RFC 9457) where it sent any. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string | undefined,
    readonly correlationId: string | undefined,
    readonly fields: Record<string, string> = {},
  ) {
    super(detail ?? title);
    this.name = "Problem";
  }

  get offline(): boolean {
    return this.status === 0;
  }
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface RequestOptions {
  query?: Record<string, string | number | boolean | undefined | null>;
  body?: unknown;
  signal?: AbortSignal;
  /** A key that lets the server answer a repeated write as it answered the first. */
  idempotencyKey?: string;
  /** Outlives the page, for the last position of a closing player. */
  keepalive?: boolean;
  /** Log-in and refresh answer 401 for reasons that a refresh cannot mend. */
  withoutRefresh?: boolean;
  headers?: Record<string, string>;
}

export function newIdempotencyKey(): string {
  return crypto.randomUUID();
}

/** Asks and answers the JSON body; throws a `Problem` for everything that is not a success. */
export async function request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(method, path, options);
  if (response.status === 204 || response.headers.get("content-length") === "0") return undefined as T;
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** As `request`, but hands back the raw answer: uploads read its headers. */
export async function send(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
  const first = await once(method, path, options);
  if (first.status !== 401 || options.withoutRefresh) return successOf(first);
  if (!(await refreshSession())) {
    announceSignedOut();
    return successOf(first);
  }
  const second = await once(method, path, options);
  if (second.status === 401) announceSignedOut();
  return successOf(second);
}

async function once(method: string, path: string, options: RequestOptions): Promise<Response> {
  const raw = options.body instanceof Blob;
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  const profile = chosenProfile.get();
  if (profile) headers["X-Profile"] = profile;
  if (options.body !== undefined && !raw) headers["Content-Type"] = "application/json";
  if (options.idempotencyKey) headers["Idempotency-Key"] = options.idempotencyKey;
  try {
    return await fetch(urlOf(path, options.query), {
      method,
      headers,
      body: raw ? (options.body as Blob) : options.body === undefined ? undefined : JSON.stringify(options.body),
      credentials: "same-origin",
      keepalive: options.keepalive,
      signal: options.signal ?? (raw ? undefined : AbortSignal.timeout(REQUEST_TIMEOUT_MS)),
    });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new Problem(0, "unreachable", "unreachable", undefined, undefined);
  }
}

function urlOf(path: string, query: RequestOptions["query"]): string {
  const url = path.startsWith("/api/") ? path : BASE + path;
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `${url}?${text}` : url;
}

async function successOf(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw await problemOf(response);
}

async function problemOf(response: Response): Promise<Problem> {
  let body: Record<string, unknown> = {};
  try {
    body = (await response.json()) as Record<string, unknown>;
  } catch {
    // Not JSON: a proxy in between answered. The status is all there is to say.
  }
  const text = (name: string) => (typeof body[name] === "string" ? (body[name] as string) : undefined);
  const correlation = text("correlation_id") ?? response.headers.get("x-request-id") ?? undefined;
  const fields = fieldsOf(body.errors ?? body.fields);
  return new Problem(response.status, text("code") ?? "http", text("title") ?? "", text("detail"), correlation, fields);
}

/** Accepts both forms in use: `{field: message}` and `[{field, message}]`. */
function fieldsOf(value: unknown): Record<string, string> {
  const fields: Record<string, string> = {};
  if (Array.isArray(value)) {
    for (const entry of value) {
      if (entry && typeof entry === "object" && "field" in entry && "message" in entry) {
        fields[String(entry.field)] = String(entry.message);
      }
    }
  } else if (value && typeof value === "object") {
    for (const [name, message] of Object.entries(value)) fields[name] = String(message);
  }
  return fields;
}

let refreshing: Promise<boolean> | undefined;

/** One refresh for everyone who waits; true when the session lives on. */
export function refreshSession(): Promise<boolean> {
  refreshing ??= once("POST", "/auth/refresh", { body: {} })
    .then((response) => response.ok)
    .catch(() => false)
    .finally(() => {
      refreshing = undefined;
    });
  return refreshing;
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
