/**
 * Resumable uploads (tus 1.0) by tus-js-client, which is loaded with the first file that is sent. Where an unfinished upload
 * got to is asked of the server, so a closed tab, another browser and a restarted server all go on.
 */
import type { DetailedError, HttpRequest, HttpResponse } from "tus-js-client";
import { BASE, Problem, problemFrom, refreshSession } from "./http";

export const ENDPOINT = `${BASE}/admin/uploads`;
/** One request: what a session must last for, and what a proxy in between must let through. */
const CHUNK_BYTES = 32 * 1024 * 1024;
/** Begins again with each piece that arrives; long enough for a server to restart. */
const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000, 15_000, 30_000, 60_000];
/** Hashed at both ends of a file: enough to tell two recordings of one size apart, and read in a moment. */
const ENDS_BYTES = 64 * 1024;

export interface UploadOptions {
  file: File;
  metadata: Record<string, string>;
  /** The address of an upload that was begun before. */
  place?: string;
  /** It has an address now. */
  onPlace?: (place: string) => void;
  onProgress?: (sentBytes: number, totalBytes: number) => void;
  signal?: AbortSignal;
  chunkBytes?: number;
  retryDelaysMs?: number[];
}

/** Sends the whole file and answers the upload's address. What was sent stays when `signal` stops it. */
export async function upload(options: UploadOptions): Promise<string> {
  const { Upload } = await import("tus-js-client");
  const { file, signal } = options;
  signal?.throwIfAborted();
  let hasRunOut = false;
  return new Promise((resolve, reject) => {
    const sending = new Upload(file, {
      endpoint: new URL(ENDPOINT, document.baseURI).href,
      uploadUrl: options.place ? new URL(options.place, document.baseURI).href : null,
      metadata: options.metadata,
      chunkSize: options.chunkBytes ?? CHUNK_BYTES,
      retryDelays: options.retryDelaysMs ?? RETRY_DELAYS_MS,
      storeFingerprintForResuming: false,
      onBeforeRequest: async () => {
        if (!hasRunOut) return;
        hasRunOut = !(await refreshSession());
      },
      onAfterResponse: keepPlace,
      onShouldRetry: (error) => {
        const status = statusOf(error);
        hasRunOut = status === 401;
        return repeatable(status);
      },
      onUploadUrlAvailable: () => sending.url && options.onPlace?.(pathOf(sending.url)),
      onProgress: (sent, total) => options.onProgress?.(sent, total ?? file.size),
      onSuccess: () => resolve(pathOf(sending.url ?? "")),
      onError: (error) => reject(problemOf(error)),
    });
    signal?.addEventListener("abort", () => {
      void sending.abort();
      reject(signal.reason);
    });
    sending.start();
  });
}

/** The id at the end of an upload's address, as other requests name it. */
export const uploadId = (address: string) => address.split("/").filter(Boolean).at(-1) ?? "";

/** What a file is known by when it is chosen again: its name, length and age, and what stands at both its ends. */
export async function fingerprint(file: File): Promise<string> {
  const ends = new Blob([file.slice(0, ENDS_BYTES), file.slice(Math.max(0, file.size - ENDS_BYTES))]);
  const words = new TextEncoder().encode(`${file.name}\n${file.size}\n${file.lastModified}\n`);
  const all = new Blob([words, ends]);
  return fnv1a(new Uint8Array(await all.arrayBuffer())) + file.size.toString(36);
}

/** FNV-1a of 64 bits, which needs no secure connection as the browser's digests do; nobody gains by two files that look alike. */
function fnv1a(bytes: Uint8Array): string {
  let [high, low] = [0xcbf29ce4, 0x84222325];
  for (const byte of bytes) {
    low = (low ^ byte) >>> 0;
    // times 0x100000001b3
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + (low << 8) + Math.floor(product / 2 ** 32)) >>> 0;
    low = product >>> 0;
  }
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}

/**
 * Only an upload that is not there any more begins anew. The library would whatever is answered when it asks where the upload got
 * to: that the session has run out, that the server is busy, that it is coming up.
 */
function keepPlace(request: HttpRequest, response: HttpResponse) {
  const status = response.getStatus();
  const isAnswered = (status >= 200 && status < 300) || status === 404 || status === 410;
  if (request.getMethod() === "HEAD" && !isAnswered) throw new Problem(status, "http");
}

/** 0 where no answer came. */
function statusOf(error: DetailedError): number {
  if (error.causingError instanceof Problem) return error.causingError.status;
  return error.originalResponse?.getStatus() ?? 0;
}

const pathOf = (url: string) => new URL(url, document.baseURI).pathname;

/** A lost line, a busy server and a piece that the server had already taken may be tried again; a refusal may not. */
function repeatable(status: number): boolean {
  return status < 400 || status >= 500 || [401, 409, 423, 429].includes(status);
}

function problemOf(error: Error | DetailedError): Problem {
  if ("causingError" in error && error.causingError instanceof Problem) return error.causingError;
  const response = "originalResponse" in error ? error.originalResponse : null;
  if (!response) return new Problem(0, "unreachable");
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(response.getBody()) as Record<string, unknown>;
  } catch {
    // Not JSON: a proxy in between answered. The status is all there is to say.
  }
  return problemFrom(new Response(null, { status: response.getStatus() }), body);
}
