/** The engine's troubles: what failed is loaded again from as far back as it failed, by hls.js and by the browser's own HLS. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Engine } from "@/player/engine";

type Handler = (event: string, data: unknown) => void;

const fake = vi.hoisted(() => ({ supported: true, made: [] as unknown[] }));

vi.mock("hls.js", () => {
  class FakeHls {
    static Events = {
      MANIFEST_PARSED: "parsed",
      LEVEL_SWITCHED: "switched",
      FRAG_BUFFERED: "buffered",
      SUBTITLE_TRACKS_UPDATED: "tracks",
      ERROR: "error",
    };
    static ErrorTypes = { NETWORK_ERROR: "networkError", MEDIA_ERROR: "mediaError" };
    static isSupported = () => fake.supported;
    handlers = new Map<string, Handler>();
    loadSource = vi.fn();
    startLoad = vi.fn();
    attachMedia = vi.fn();
    recoverMediaError = vi.fn();
    destroy = vi.fn();
    constructor() {
      fake.made.push(this);
    }
    on(event: string, handler: Handler) {
      this.handlers.set(event, handler);
    }
    say(event: string, data: unknown = {}) {
      this.handlers.get(event)?.(event, data);
    }
  }
  return { default: FakeHls };
});

interface Loader {
  loadSource: ReturnType<typeof vi.fn>;
  startLoad: ReturnType<typeof vi.fn>;
  say: (event: string, data?: unknown) => void;
}
const loader = () => fake.made.at(-1) as Loader;
const lost = { fatal: true, type: "networkError" };

let video: HTMLVideoElement;
let engine: Engine;
beforeEach(async () => {
  vi.useFakeTimers();
  fake.supported = true;
  video = document.createElement("video");
  video.play = async () => undefined;
  video.canPlayType = () => "maybe";
  engine = new Engine(video);
});
afterEach(() => {
  engine.destroy();
  vi.useRealTimers();
});

describe("a manifest that does not arrive", () => {
  beforeEach(async () => {
    await engine.open("/film.m3u8", 0);
    loader().say("error", lost);
  });

  it("is asked for again by itself, and the trouble goes with the first picture", async () => {
    expect(engine.snapshot().trouble).toBe("network");
    await vi.advanceTimersByTimeAsync(1500);
    expect(loader().loadSource).toHaveBeenCalledTimes(2);
    loader().say("parsed", { levels: [] });
    loader().say("buffered");
    expect(engine.snapshot().trouble).toBeUndefined();
  });

  it("is asked for again when the viewer says so, and then only once", async () => {
    engine.retry();
    expect(loader().loadSource).toHaveBeenCalledTimes(2);
    expect(loader().loadSource).toHaveBeenLastCalledWith("/film.m3u8");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(loader().loadSource).toHaveBeenCalledTimes(2);
  });
});

it("goes on loading where the manifest is there", async () => {
  await engine.open("/film.m3u8", 0);
  loader().say("parsed", { levels: [] });
  loader().say("error", lost);
  engine.retry();
  expect(loader().startLoad).toHaveBeenCalledOnce();
  expect(loader().loadSource).toHaveBeenCalledOnce();
});

describe("the browser's own HLS", () => {
  const fails = (code: number) => {
    Object.defineProperty(video, "error", { value: { code }, configurable: true });
    video.dispatchEvent(new Event("error"));
  };
  beforeEach(async () => {
    fake.supported = false;
    await engine.open("/film.m3u8", 30);
  });

  it.each([
    [2, "network"],
    [3, "media"],
    [4, "unknown"],
  ])("says what error %d is", (code, trouble) => {
    fails(code);
    expect(engine.snapshot().trouble).toBe(trouble);
  });

  it("opens the film again where it stopped", () => {
    const opened: string[] = [];
    Object.defineProperty(video, "src", { set: (url: string) => opened.push(url) });
    video.currentTime = 42;
    fails(2);
    engine.retry();
    expect(opened).toEqual(["/film.m3u8"]);
    expect(video.currentTime).toBe(42);
    expect(engine.snapshot().trouble).toBeUndefined();
  });
});
