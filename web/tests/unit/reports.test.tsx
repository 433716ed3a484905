/** When a showing is told of: while something happens, when the page is hidden, once when it is over; and where it was left. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderHook } from "@testing-library/react";
import { type ReactNode, useEffect } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EVERY_MS } from "@/player/quality";
import { usePositions, useQuality } from "@/player/use-reports";
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

describe("a film that is left", () => {
  let element: { currentTime: number; readyState: number; paused: boolean; seeking: boolean; ended: boolean };
  beforeEach(() => {
    const answer = () => new Response(null, { status: 204 });
    asked = serve({ "POST /api/v1/playback/s1/progress": answer, "POST /api/v1/playback/s2/progress": answer });
    element = { currentTime: 0, readyState: 4, paused: false, seeking: false, ended: false };
    for (const name of Object.keys(element) as (keyof typeof element)[])
      Object.defineProperty(video, name, { get: () => element[name] });
  });
  const emptied = () => Object.assign(element, { currentTime: 0, readyState: 0, paused: true });
  const positions = () => said().map(({ path, position_s, state }) => [path.split("/").at(-2), position_s, state]);
  const watch = () => {
    const wrapper = ({ children }: { children: ReactNode }) => (
      <QueryClientProvider client={new QueryClient()}>{children}</QueryClientProvider>
    );
    const useShowing = ({ session }: { session: string }) => {
      // As the engine, which is there before.
      useEffect(() => () => void emptied(), []);
      usePositions({ current: video }, session, "t1");
    };
    const shown = renderHook(useShowing, { wrapper, initialProps: { session: "s1" } });
    element.currentTime = 3000;
    happens("timeupdate");
    return shown;
  };

  it("is left where it was, though the engine lets go of it", async () => {
    const { unmount } = watch();
    element.currentTime = 3002;
    unmount();
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect(positions()).toEqual([
      ["s1", 3000, "playing"],
      ["s1", 3002, "paused"],
    ]);
  });

  it("is left where it was seen last, where another is being put in its place", async () => {
    const { rerender } = watch();
    element.currentTime = 3002;
    happens("timeupdate");
    emptied();
    happens("timeupdate");
    rerender({ session: "s2" });
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect(positions()[1]).toEqual(["s1", 3002, "paused"]);
  });
});
