/** When a showing is told of: every minute in which something happened, when the page is hidden, and once when it is over. */
import { renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { EVERY_MS } from "@/player/quality";
import { useQuality } from "@/player/use-reports";
import { type Asked, serve } from "../support/server";

let asked: Asked[];
let video: HTMLVideoElement;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  asked = serve({ "POST /api/v1/playback/s1/quality": () => new Response(null, { status: 204 }) });
  video = document.createElement("video");
});
afterEach(() => void vi.useRealTimers());

const said = () => asked.map(({ path, body }) => ({ path, ...JSON.parse(body) }));
const show = () => renderHook(() => useQuality({ current: video }, "s1", performance.now()));
const happens = (...events: string[]) => {
  for (const event of events) video.dispatchEvent(new Event(event));
};

it("says every minute what is new, and nothing where nothing is", async () => {
  show();
  vi.advanceTimersByTime(400);
  happens("loadeddata", "waiting");
  vi.advanceTimersByTime(2000);
  happens("playing");
  vi.advanceTimersByTime(EVERY_MS);
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  expect(said()[0]).toMatchObject({
    path: "/api/v1/playback/s1/quality",
    startup_s: 0.4,
    stalls_s: [2],
    ended: false,
  });
  vi.advanceTimersByTime(5 * EVERY_MS);
  expect(asked).toHaveLength(1);
});

it("takes no jump, no pause and no end for a stall", async () => {
  const { unmount } = show();
  happens("loadeddata", "seeking", "waiting");
  vi.advanceTimersByTime(1000);
  happens("playing", "pause", "playing");
  Object.defineProperty(video, "ended", { value: true });
  happens("waiting");
  vi.advanceTimersByTime(1000);
  unmount();
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  expect(said()[0].stalls_s).toEqual([]);
});

it("says once that it is over, when the player goes or the page does", async () => {
  const { unmount } = show();
  happens("loadeddata");
  window.dispatchEvent(new Event("pagehide"));
  unmount();
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(0));
  expect(said().map(({ ended }) => ended)).toEqual([true]);
});

it("says what it knows when the page is hidden, which may be the last that is heard of it", async () => {
  show();
  happens("loadeddata");
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  document.dispatchEvent(new Event("visibilitychange"));
  await vi.waitFor(() => expect(asked).toHaveLength(1));
  expect(said()[0]).toMatchObject({ startup_s: 0, ended: false });
});
