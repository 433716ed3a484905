/**
 * The one way to the server: cookies, the chosen profile, problem answers, and a single refresh when a session's access
 * token has run out, however many requests find out at once.
 */
import { chosenProfile } from "./profile-choice";

export const BASE = "/api/v1";
const ME = `${BASE}/me`;
const REQUEST_TIMEOUT_MS = 20_000;
/** What a request with a file for its body is sent as: it takes as long as the line is slow. */
export const WHOLE_FILE = "application/octet-stream";
const FILE_TIMEOUT_MS = 300_000;

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
  const profile = chosenProfile.get();
  const first = await once(request, profile);
  if (profile && (await isProfileGone(first))) return withoutProfile(request, first, profile);
  if (!(await hasRunOut(first))) return first;
  if (!(await refreshSession())) {
    announce(signedOutListeners);
    return first;
  }
  const second = await once(request, chosenProfile.get());
  if (await hasRunOut(second)) announce(signedOutListeners);
  return second;
}

/** For uploads, which are not JSON: as `exchange`, but a refusal is thrown. */
export async function send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await exchange(new Request(new URL(path, document.baseURI), { ...init, method }));
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function once(request: Request, profile?: string): Promise<Response> {
  const copy = request.clone();
  const headers = new Headers(copy.headers);
  if (profile) headers.set("X-Profile", profile);
  const isUpload = headers.has("Tus-Resumable");
  const patience = headers.get("Content-Type") === WHOLE_FILE ? FILE_TIMEOUT_MS : REQUEST_TIMEOUT_MS;
  const signal = isUpload ? request.signal : AbortSignal.any([request.signal, AbortSignal.timeout(patience)]);
  try {
    return await fetch(new Request(copy, { headers, signal, credentials: "same-origin" }));
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    throw new Problem(0, "unreachable");
  }
}

async function isProfileGone(response: Response): Promise<boolean> {
  return response.status === 404 && (await problemOf(response.clone())).code === "profile_not_found";
}

/**
 * The chosen profile was deleted, or is another account's: the choice is forgotten. An account with one profile is asked
 * again as that one; with more, nobody knows who is watching, and the page must ask.
 */
async function withoutProfile(request: Request, refused: Response, profile: string): Promise<Response> {
  const left = await profilesLeft();
  // It is another profile that is gone: the one that was asked about.
  if (left.includes(profile)) return refused;
  if (chosenProfile.get() === profile) chosenProfile.set(undefined);
  const asksWhoThereIs = new URL(request.url).pathname === ME;
  if (chosenProfile.get() !== undefined || left.length <= 1 || asksWhoThereIs) return exchange(request);
  announce(profileLostListeners);
  return refused;
}

async function profilesLeft(): Promise<string[]> {
  const response = await once(new Request(new URL(ME, document.baseURI)));
  if (!response.ok) throw await problemOf(response);
  return ((await response.json()) as { profiles: { id: string }[] }).profiles.map(({ id }) => id);
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

type Listeners = Set<() => void>;
const signedOutListeners: Listeners = new Set();
const profileLostListeners: Listeners = new Set();

/** Calls back when the server has ended the session. */
export const onSignedOut = (listener: () => void) => subscribe(signedOutListeners, listener);

/** Calls back when the chosen profile is gone and there are several to choose from. */
export const onProfileLost = (listener: () => void) => subscribe(profileLostListeners, listener);

function subscribe(listeners: Listeners, listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function announce(listeners: Listeners) {
  for (const listener of listeners) listener();
}
