/**
 * Resumable uploads (tus 1.0): create, send in chunks, and after a failure ask the server how far it got and go on from
 * there. The place of an unfinished upload is remembered by file, so a closed tab resumes too.
 */
import { BASE, Problem, send } from "./http";

export const CHUNK_BYTES = 8 * 1024 * 1024;
const FAILURES_MAX = 5;
const TUS = { "Tus-Resumable": "1.0.0" };

export interface UploadOptions {
  file: File;
  metadata: Record<string, string>;
  onProgress?: (sentBytes: number, totalBytes: number) => void;
  signal?: AbortSignal;
  /** Waits before another try; a test passes its own. */
  pause?: (attempt: number) => Promise<void>;
  chunkBytes?: number;
}

/** Sends the whole file and answers the upload's address. */
export async function upload(options: UploadOptions): Promise<string> {
  const place = await findOrCreate(options);
  let offset = place.offset;
  let failures = 0;
  options.onProgress?.(offset, options.file.size);
  while (offset < options.file.size) {
    try {
      offset = await sendChunk(place.address, offset, options);
      failures = 0;
      options.onProgress?.(offset, options.file.size);
    } catch (error) {
      failures += 1;
      if (options.signal?.aborted || !repeatable(error) || failures >= FAILURES_MAX) throw error;
      await (options.pause ?? backOff)(failures);
      offset = (await offsetAt(place.address, options.signal)) ?? offset;
    }
  }
  remembered.forget(options);
  return place.address;
}

/** The id at the end of an upload's address, as other requests name it. */
export const uploadId = (address: string) => address.split("/").filter(Boolean).at(-1) ?? "";

async function findOrCreate(options: UploadOptions): Promise<{ address: string; offset: number }> {
  const known = remembered.get(options);
  if (known) {
    const offset = await offsetAt(known, options.signal).catch(() => undefined);
    if (offset !== undefined) return { address: known, offset };
    remembered.forget(options);
  }
  const response = await send("POST", `${BASE}/admin/uploads`, {
    headers: {
      ...TUS,
      "Upload-Length": String(options.file.size),
      "Upload-Metadata": encodeMetadata(options.metadata),
    },
    signal: options.signal,
  });
  const location = response.headers.get("location");
  if (!location) throw new Problem(response.status, "upload_without_location");
  const address = new URL(location, document.baseURI).pathname;
  remembered.set(options, address);
  return { address, offset: 0 };
}

async function sendChunk(address: string, offset: number, options: UploadOptions): Promise<number> {
  const end = Math.min(offset + (options.chunkBytes ?? CHUNK_BYTES), options.file.size);
  const response = await send("PATCH", address, {
    body: options.file.slice(offset, end),
    headers: { ...TUS, "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" },
    signal: options.signal,
  });
  const reached = Number(response.headers.get("upload-offset"));
  return Number.isFinite(reached) && reached > offset ? reached : end;
}

async function offsetAt(address: string, signal?: AbortSignal): Promise<number | undefined> {
  const response = await send("HEAD", address, { headers: TUS, signal });
  const text = response.headers.get("upload-offset");
  return text === null ? undefined : Number(text);
}

/** `key base64(value)` pairs, values as UTF-8. */
export function encodeMetadata(metadata: Record<string, string>): string {
  return Object.entries(metadata)
    .map(([key, value]) => {
      const bytes = new TextEncoder().encode(value);
      return `${key} ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))}`;
    })
    .join(",");
}

/** A lost line, a busy server and a chunk that the server had already taken may be tried again; a refusal may not. */
function repeatable(error: unknown): boolean {
  if (!(error instanceof Problem)) return false;
  return error.status === 0 || error.status === 409 || error.status === 429 || error.status >= 500;
}

function backOff(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.min(1000 * 2 ** (attempt - 1), 15_000)));
}

const remembered = {
  key: ({ file, metadata }: UploadOptions) =>
    `kinora.upload.${metadata.title_id ?? metadata.purpose}.${file.name}.${file.size}.${file.lastModified}`,
  get(options: UploadOptions): string | null {
    return storage()?.getItem(this.key(options)) ?? null;
  },
  set(options: UploadOptions, address: string) {
    storage()?.setItem(this.key(options), address);
  },
  forget(options: UploadOptions) {
    storage()?.removeItem(this.key(options));
  },
};

function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}
