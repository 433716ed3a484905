/** The engine's troubles: what failed is loaded again from as far back as it failed, by hls.js and by the browser's own HLS. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Problem } from "@/api/http";
import { Engine } from "@/player/engine";

type Setup = (request: { open: (method: string, url: string, later: boolean) => void }, url: string) => void;
type Handler = (event: string, data: unknown) => void;

const fake = vi.hoisted(() => ({ supported: true, made: [] as unknown[] }));

vi.mock("hls.js", () => {
  class FakeHls {
    static Events = {
      MANIFEST_PARSED: "parsed",
      LEVEL_SWITCHED: "switched",
      FRAG_PARSED: "fragParsed",
      FRAG_BUFFERED: "buffered",
      AUDIO_TRACK_SWITCHING: "sounding",
      ERROR: "error",
    };
    static ErrorTypes = { NETWORK_ERROR: "networkError", MEDIA_ERROR: "mediaError" };
    static ErrorDetails = {
      KEY_LOAD_ERROR: "keyLoadError",
      FRAG_PARSING_ERROR: "fragParsingError",
      FRAG_DECRYPT_ERROR: "fragDecryptError",
    };
    static isSupported = () => fake.supported;
    handlers = new Map<string, Handler>();
    loadSource = vi.fn();
    startLoad = vi.fn();
    stopLoad = vi.fn();
    attachMedia = vi.fn();
    recoverMediaError = vi.fn();
    setAudioOption = vi.fn();
    pathwayPriority: string[] | null = null;
    levels: object[] = [];
    destroy = vi.fn();
    constructor(readonly config: { startPosition?: number; xhrSetup: Setup }) {
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
  stopLoad: ReturnType<typeof vi.fn>;
  setAudioOption: ReturnType<typeof vi.fn>;
  config: { startPosition?: number; xhrSetup: Setup };
  levels: object[];
  pathwayPriority: string[] | null;
  say: (event: string, data?: unknown) => void;
}
const loader = () => fake.made.at(-1) as Loader;
const refused = { fatal: false, type: "networkError", response: { code: 403 } };
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
    loader().say("parsed", { levels: [], audioTracks: [] });
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

it("shows a place soonest from the start of its segment, and where it is loaded already exactly there", async () => {
  await engine.open("/film.m3u8", 0);
  expect(engine.soonest(31.4)).toBe(31.4);
  const fragments = [0, 2, 30, 32].map((start) => ({ start }));
  loader().levels = [{ frameRate: 25, details: { fragments } }];
  loader().say("switched", { level: 0 });
  Object.defineProperty(video, "duration", { value: 300 });
  expect([0.4, 2.6, 31.4].map((time) => engine.soonest(time))).toEqual([0, 2.02, 32.02]);
  Object.defineProperty(video, "buffered", { value: { length: 1, start: () => 30, end: () => 32 } });
  expect(engine.soonest(31.4)).toBe(31.4);
});

it("goes on loading where the manifest is there: from where the film begins until something has arrived", async () => {
  await engine.open("/film.m3u8", 3600);
  loader().say("parsed", { levels: [], audioTracks: [] });
  loader().say("error", lost);
  engine.retry();
  expect(loader().startLoad).toHaveBeenLastCalledWith(3600);
  loader().say("buffered");
  loader().say("error", lost);
  engine.retry();
  expect(loader().startLoad).toHaveBeenLastCalledWith(-1);
  expect(loader().loadSource).toHaveBeenCalledOnce();
});

describe("sound", () => {
  const english = { name: "English", lang: "en", groupId: "a", channels: "2", default: true };
  const french = { name: "Français", lang: "fr", groupId: "a", channels: "6/-/JOC", default: false };
  const audioTracks = [english, french];

  it("begins in the language that is wanted, before any of it is loaded", async () => {
    engine = new Engine(video, { audio: (tracks) => tracks.find(({ language }) => language === "fr") });
    await engine.open("/film.m3u8", 0);
    loader().say("parsed", { levels: [], audioTracks });
    expect(loader().setAudioOption).toHaveBeenCalledExactlyOnceWith(french);
    expect(engine.snapshot().audio[1]).toEqual({
      index: 1,
      name: "Français",
      language: "fr",
      channels: 6,
      role: "main",
      isDefault: false,
    });
  });

  it("is left to the film where nothing is wanted, and changes when it is chosen", async () => {
    await engine.open("/film.m3u8", 0);
    loader().say("parsed", { levels: [], audioTracks });
    expect(loader().setAudioOption).not.toHaveBeenCalled();
    engine.chooseAudio(1);
    expect(loader().pathwayPriority).toBeNull();
    expect(loader().setAudioOption).toHaveBeenLastCalledWith(french);
    loader().say("sounding", { groupId: "a", name: "Français" });
    expect(engine.snapshot().playingAudio).toBe(1);
  });
});

describe("sound in groups of channels", () => {
  const track = (groupId: string, name: string, channels: string) => ({
    ...{ groupId, name, lang: "en", channels },
    autoselect: name !== "Talk",
  });
  const audioTracks = [
    track("two", "English", "2"),
    track("two", "Talk", "2"),
    track("six", "English", "6"),
    track("six", "Talk", "2"),
  ];
  const rung = (height: number, group: string) => ({
    height,
    audioGroups: [group],
    attrs: {} as Record<string, string>,
  });
  const levels = [rung(180, "two"), rung(180, "six"), rung(360, "two"), rung(360, "six")];
  /** The rungs that hls.js is held to. */
  const held = () => {
    const [pathway] = loader().pathwayPriority ?? [];
    return levels.filter(({ attrs }) => attrs["PATHWAY-ID"] === pathway);
  };
  const heights = () => engine.snapshot().qualities.map(({ index, height }) => [index, height]);
  beforeEach(async () => {
    await engine.open("/film.m3u8", 0);
    loader().say("parsed", { levels, audioTracks });
  });

  it("is offered once in each number of channels, and the rungs are those of one group", () => {
    const offered = engine.snapshot().audio.map(({ name, channels, role }) => `${name} ${channels} ${role}`);
    expect(offered).toEqual(["English 2 main", "English 6 main", "Talk 2 commentary"]);
    expect(held()).toEqual([levels[0], levels[2]]);
    expect(heights()).toEqual([
      [1, 360],
      [0, 180],
    ]);
    loader().say("sounding", { groupId: "six", name: "Talk" });
    expect(engine.snapshot().playingAudio).toBe(2);
  });

  it("changes the group only where the other does not have it", () => {
    engine.chooseAudio(2);
    expect(loader().setAudioOption).toHaveBeenLastCalledWith(audioTracks[1]);
    expect(held()).toEqual([levels[0], levels[2]]);
    engine.chooseAudio(1);
    expect(loader().setAudioOption).toHaveBeenLastCalledWith(audioTracks[2]);
    expect(held()).toEqual([levels[1], levels[3]]);
    expect(heights()).toEqual([
      [1, 360],
      [0, 180],
    ]);
    engine.chooseAudio(2);
    expect(loader().setAudioOption).toHaveBeenLastCalledWith(audioTracks[3]);
    expect(held()).toEqual([levels[1], levels[3]]);
  });

  it("goes back to a group under another name than before, for what failed once is not gone back to", () => {
    const names = [1, 0, 1, 0].map((index) => {
      engine.chooseAudio(index);
      return loader().pathwayPriority?.[0];
    });
    expect(new Set(names).size).toBe(4);
    expect(held()).toEqual([levels[0], levels[2]]);
  });
});

it("tells changes of quality, not the first one, and each trouble once", async () => {
  const [switched, failed] = [vi.fn(), vi.fn()];
  engine = new Engine(video, { switched, failed });
  await engine.open("/film.m3u8", 0);
  loader().levels = [
    { height: 180, frameRate: 50, attrs: {} },
    { height: 360, attrs: {} },
  ];
  loader().say("parsed", { levels: [], audioTracks: [] });
  for (const level of [0, 1, 1, 0]) loader().say("switched", { level });
  expect(switched).toHaveBeenCalledTimes(2);
  expect([engine.snapshot().playingHeight, engine.frameRate(), engine.figures().rung]).toEqual([180, 50, 1]);
  loader().say("error", lost);
  loader().say("error", lost);
  loader().say("error", { fatal: true, type: "otherError" });
  expect(failed.mock.calls).toEqual([["network"], ["unknown"]]);
});

describe("an address that is not good any more", () => {
  const renew = vi.fn<() => Promise<string>>();
  /** Where something is asked for that a manifest named. */
  const asked = (url: string) => {
    const open = vi.fn();
    loader().config.xhrSetup({ open }, url);
    return open.mock.calls[0]?.[1] ?? url;
  };
  const settle = () => vi.advanceTimersByTimeAsync(0);
  beforeEach(async () => {
    renew.mockReset();
    engine = new Engine(video, { renew });
    await engine.open("/media/one/film/master.m3u8", 0);
    loader().say("parsed", { levels: [], audioTracks: [] });
  });

  it("is renewed on the way, as often as it takes, and nobody sees it", async () => {
    for (const turn of ["two", "three"]) {
      renew.mockResolvedValueOnce(`/media/${turn}/film/master.m3u8`);
      loader().say("error", refused);
      loader().say("error", { ...refused, fatal: true });
      expect(loader().stopLoad).toHaveBeenCalled();
      await settle();
      expect(engine.snapshot().trouble).toBeUndefined();
      for (const before of ["one", "two", turn])
        expect(asked(`http://house/media/${before}/film/v0/7.m4s`)).toBe(`http://house/media/${turn}/film/v0/7.m4s`);
      loader().say("buffered");
    }
    expect(renew).toHaveBeenCalledTimes(2);
    expect(loader().startLoad).toHaveBeenCalledTimes(2);
    expect(loader().loadSource).toHaveBeenCalledOnce();
  });

  it("is renewed once until something arrives, then it is a trouble", async () => {
    renew.mockResolvedValue("/media/two/film/master.m3u8");
    loader().say("error", refused);
    await settle();
    loader().say("error", refused);
    expect(engine.snapshot().trouble).toBeUndefined();
    loader().say("error", { ...refused, fatal: true });
    expect([engine.snapshot().trouble, renew.mock.calls.length]).toEqual(["expired", 1]);
  });

  it("is a trouble where nobody gives another: of the line, or of the address", async () => {
    for (const [error, trouble] of [
      [new Problem(0, "unreachable"), "network"],
      [new Problem(404, "title_not_found"), "expired"],
    ] as const) {
      renew.mockRejectedValueOnce(error);
      loader().say("error", refused);
      await settle();
      expect(engine.snapshot().trouble).toBe(trouble);
      engine.retry();
    }
  });

  it("is a matter of too many screens where those have the places, and no other is tried then", async () => {
    loader().say("error", { fatal: false, type: "networkError", response: { code: 429 } });
    expect([engine.snapshot().trouble, renew.mock.calls.length]).toEqual(["tooMany", 0]);
    expect(loader().stopLoad).toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(loader().startLoad).not.toHaveBeenCalled();
  });

  it("is one as well where the renewal is what is refused", async () => {
    renew.mockRejectedValueOnce(new Problem(429, "too_many_streams"));
    loader().say("error", refused);
    await settle();
    expect(engine.snapshot().trouble).toBe("tooMany");
  });

  it("leads to the film that replaced this one, at the same place", async () => {
    renew.mockResolvedValueOnce("/media/two/other/master.m3u8");
    loader().say("buffered");
    video.currentTime = 42;
    engine.chooseQuality(2);
    loader().say("error", refused);
    await settle();
    expect(engine.snapshot().chosen).toBe(-1);
    expect(loader().loadSource).toHaveBeenLastCalledWith("/media/two/other/master.m3u8");
    expect(loader().config.startPosition).toBe(42);
    expect(asked("http://house/media/two/other/v0/1.m4s")).toBe("http://house/media/two/other/v0/1.m4s");
  });
});

describe("an encrypted film", () => {
  const frag = { encrypted: true };
  const key = (code: number) => ({ details: "keyLoadError", type: "networkError", fatal: false, response: { code } });
  const unreadable = { details: "fragParsingError", type: "mediaError", fatal: true };
  const renew = vi.fn<() => Promise<string>>();
  beforeEach(async () => {
    renew.mockReset().mockReturnValue(new Promise(() => undefined));
    engine = new Engine(video, { renew });
    await engine.open("/film.m3u8", 0);
    loader().say("parsed", { levels: [], audioTracks: [] });
  });

  it.each([
    ["its key is not there", key(404)],
    ["what its key opens is no film", { ...unreadable, frag }],
    ["its key opens nothing", { ...unreadable, details: "fragDecryptError", frag }],
  ])("is locked where %s, and is tried again only when the viewer says so", async (_what, error) => {
    loader().say("error", error);
    expect(engine.snapshot().trouble).toBe("locked");
    expect(loader().stopLoad).toHaveBeenCalledOnce();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([loader().startLoad.mock.calls.length, renew.mock.calls.length]).toEqual([0, 0]);
    engine.retry();
    expect(engine.snapshot().trouble).toBeUndefined();
    expect(loader().startLoad).toHaveBeenCalledOnce();
  });

  it("is locked where its segments are nothing, and no error says so", () => {
    const parsed = (video: object | null) =>
      loader().say("fragParsed", { frag: { ...frag, elementaryStreams: { audio: null, video, audiovideo: null } } });
    for (const video of [null, null, { startPTS: 0 }, null, null]) parsed(video);
    expect(engine.snapshot().trouble).toBeUndefined();
    parsed(null);
    expect(engine.snapshot().trouble).toBe("locked");
    expect(loader().stopLoad).toHaveBeenCalledOnce();
  });

  it("asks for a new address where its key is refused, as for any file", () => {
    loader().say("error", key(403));
    expect([engine.snapshot().trouble, renew.mock.calls.length]).toEqual([undefined, 1]);
  });

  it("is not what a damaged film is that is not encrypted", () => {
    for (const _again of [1, 2, 3]) loader().say("error", { ...unreadable, frag: { encrypted: false } });
    expect(engine.snapshot().trouble).toBe("media");
  });
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

  it("is given a new address where it could not open the old one", async () => {
    const opened: string[] = [];
    Object.defineProperty(video, "src", { set: (url: string) => opened.push(url) });
    engine = new Engine(video, { renew: async () => "/new/film.m3u8" });
    await engine.open("/film.m3u8", 30);
    fails(4);
    await vi.advanceTimersByTimeAsync(0);
    expect([opened, engine.snapshot().trouble]).toEqual([["/film.m3u8", "/new/film.m3u8"], undefined]);
    fails(4);
    expect(engine.snapshot().trouble).toBe("unknown");
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
