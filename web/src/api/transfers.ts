/**
 * The videos that are on their way from this page. They go on while one looks elsewhere in it; after a reload the server knows
 * how far each got, and the same file goes on from there.
 */
import { queryOptions } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { removeUpload, unfinishedUploads } from "./admin-endpoints";
import { onSignedOut, Problem } from "./http";
import { ENDPOINT, fingerprint, upload, uploadId } from "./tus";
import type { Id, UnfinishedUpload } from "./types";

/** More at once would only share one line. */
export const AT_ONCE = 2;
/** Speed is what the last seconds say. */
const SPEED_OVER_MS = 8000;

export type Phase = "waiting" | "sending" | "paused" | "failed" | "done";

export interface Transfer {
  key: number;
  title: { id: Id; name: string };
  file: File;
  phase: Phase;
  sent: number;
  bytesPerSecond?: number;
  secondsLeft?: number;
  error?: Error;
  /** The address of its upload, once it has one. */
  place?: string;
}

interface Line {
  stop: AbortController;
  samples: { at: number; sent: number }[];
}

let transfers: readonly Transfer[] = [];
let nextKey = 1;
const lines = new Map<number, Line>();
const listeners = new Set<() => void>();

export const unfinishedQuery = queryOptions({
  queryKey: ["uploads"],
  queryFn: ({ signal }) => unfinishedUploads(signal),
});

export function useTransfers(): readonly Transfer[] {
  return useSyncExternalStore(subscribe, () => transfers);
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function put(next: readonly Transfer[]) {
  transfers = next;
  for (const listener of listeners) listener();
}

const find = (key: number) => transfers.find((one) => one.key === key);

function change(key: number, changes: Partial<Transfer>) {
  put(transfers.map((one) => (one.key === key ? { ...one, ...changes } : one)));
}

/** Sends a file to a title, as soon as there is room; one that is on its way there already goes on. */
export function sendVideo(file: File, title: { id: Id; name: string }, place?: string): number {
  const known = transfers.find((one) => one.title.id === title.id && isSame(one.file, file) && one.phase !== "done");
  if (known) {
    resume(known.key);
    return known.key;
  }
  const key = nextKey++;
  const { id, name } = title;
  put([...transfers, { key, title: { id, name }, file, phase: "waiting", sent: 0, place }]);
  pump();
  return key;
}

const isSame = (a: File, b: File) => a.name === b.name && a.size === b.size && a.lastModified === b.lastModified;

export function pause(key: number) {
  const line = lines.get(key);
  if (find(key)?.phase === "waiting" || line) change(key, { phase: "paused", bytesPerSecond: undefined });
  line?.stop.abort();
}

export function resume(key: number) {
  const phase = find(key)?.phase;
  if (phase !== "paused" && phase !== "failed") return;
  change(key, { phase: "waiting", error: undefined });
  pump();
}

/** Stops it and lets the server forget what has arrived. */
export async function cancel(key: number): Promise<void> {
  const place = find(key)?.place;
  lines.get(key)?.stop.abort();
  dismiss(key);
  if (place) await removeUpload(uploadId(place));
}

/** Takes one that has ended off the list. */
export function dismiss(key: number) {
  put(transfers.filter((one) => one.key !== key));
}

/** Nobody is there any more to send for. */
export function stopAll() {
  for (const { stop } of lines.values()) stop.abort();
  put([]);
}

onSignedOut(stopAll);

function pump() {
  const next = transfers.find((one) => one.phase === "waiting" && !lines.has(one.key));
  if (!next || lines.size >= AT_ONCE) return;
  const line: Line = { stop: new AbortController(), samples: [] };
  lines.set(next.key, line);
  change(next.key, { phase: "sending", error: undefined });
  void run(next, line).finally(() => {
    lines.delete(next.key);
    pump();
  });
  pump();
}

async function run({ key, file, title, place }: Transfer, line: Line) {
  const { signal } = line.stop;
  try {
    const print = await fingerprint(file);
    const from = place ?? (await begunBefore(print, title.id));
    const address = await upload({
      file,
      place: from,
      metadata: { title_id: title.id, filename: file.name, purpose: "video", fingerprint: print },
      onPlace: (known) => change(key, { place: known }),
      onProgress: (sent, total) => change(key, { sent, ...progress(line, sent, total) }),
      signal,
    });
    change(key, { phase: "done", sent: file.size, place: address, bytesPerSecond: undefined });
  } catch (cause) {
    if (signal.aborted) return;
    const error = cause instanceof Error ? cause : new Error(String(cause));
    // What the server threw away begins anew next time.
    const isGone = error instanceof Problem && error.status >= 400 && error.status < 500;
    change(key, { phase: "failed", error, bytesPerSecond: undefined, ...(isGone && { place: undefined }) });
  }
}

/** Where the same file got to that was begun here or elsewhere; a video, for the same title. */
export async function begunBefore(print: string, title?: Id): Promise<string | undefined> {
  const { items } = await unfinishedUploads();
  const same = items.find((one) => one.fingerprint === print && (one.title_id ?? undefined) === title);
  return same && placeOf(same);
}

export const placeOf = ({ id }: Pick<UnfinishedUpload, "id">) => `${ENDPOINT}/${id}`;

function progress(line: Line, sent: number, total: number, now = performance.now()) {
  line.samples = [...line.samples.filter(({ at }) => now - at < SPEED_OVER_MS), { at: now, sent }];
  return speed(line.samples, total);
}

/** Of what was sent when; nothing while there is nothing to compare. */
export function speed(samples: readonly { at: number; sent: number }[], total: number) {
  const [first, last] = [samples.at(0), samples.at(-1)];
  if (!first || !last || last.at - first.at < 500 || last.sent <= first.sent) return {};
  const bytesPerSecond = ((last.sent - first.sent) / (last.at - first.at)) * 1000;
  return { bytesPerSecond, secondsLeft: (total - last.sent) / bytesPerSecond };
}
