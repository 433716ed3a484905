/** The player's rules: keys, taps, positions, previews, qualities. */
import { describe, expect, it, vi } from "vitest";
import { makeActions, runCommand } from "@/player/actions";
import { partAt, partsOf } from "@/player/chapters";
import { qualitiesOf } from "@/player/hls-settings";
import { commandOf, nextSpeed, seekKey } from "@/player/keyboard";
import { inCredits } from "@/player/next";
import { PositionReporter } from "@/player/positions";
import { nearestStart } from "@/player/starts";
import { parseStoryboard, previewAt } from "@/player/storyboard";
import { makeTaps } from "@/player/taps";
import { initialVideo } from "@/player/use-video";

describe("keys", () => {
  it.each([
    [" ", { do: "toggle" }],
    ["k", { do: "toggle" }],
    ["K", { do: "toggle" }],
    ["ArrowLeft", { do: "seek", by: -5 }],
    ["ArrowRight", { do: "seek", by: 5 }],
    ["j", { do: "seek", by: -10 }],
    ["l", { do: "seek", by: 10 }],
    [",", { do: "frame", by: -1 }],
    [".", { do: "frame", by: 1 }],
    ["ArrowUp", { do: "volume", by: 0.05 }],
    ["ArrowDown", { do: "volume", by: -0.05 }],
    ["m", { do: "mute" }],
    ["c", { do: "subtitles" }],
    ["f", { do: "fullscreen" }],
    ["i", { do: "picture" }],
    ["<", { do: "speed", by: -1 }],
    [">", { do: "speed", by: 1 }],
    ["0", { do: "jump", fraction: 0 }],
    ["5", { do: "jump", fraction: 0.5 }],
    ["Home", { do: "jump", fraction: 0 }],
    ["End", { do: "jump", fraction: 1 }],
    ["?", { do: "help" }],
    ["Escape", { do: "leave" }],
  ])("knows %s", (key, command) => {
    expect(commandOf({ key }, "none")).toEqual(command);
  });

  it("leaves a control its own keys", () => {
    expect(commandOf({ key: " " }, "button")).toBeUndefined();
    expect(commandOf({ key: "ArrowLeft" }, "slider")).toBeUndefined();
    expect(commandOf({ key: "ArrowLeft" }, "button")).toEqual({ do: "seek", by: -5 });
    expect(commandOf({ key: "k" }, "slider")).toEqual({ do: "toggle" });
  });

  it("does nothing for a letter, digit or sign once they are switched off", () => {
    const character = ["k", "j", "l", ",", ".", "m", "c", "f", "i", "<", "5", "?"];
    expect(character.map((key) => commandOf({ key }, "none", false))).toEqual(character.map(() => undefined));
    const others = [" ", "ArrowLeft", "ArrowUp", "Home", "Escape"];
    expect(others.map((key) => commandOf({ key }, "none", false)?.do)).toEqual([
      "toggle",
      "seek",
      "volume",
      "jump",
      "leave",
    ]);
  });

  it("knows no key by the name of something that every object has", () => {
    expect(commandOf({ key: "constructor" }, "none")).toBeUndefined();
    expect(seekKey("toString", 10, 100, false)).toBeUndefined();
  });

  it("moves along the bar, within the film, and the other way where one reads so", () => {
    const keys = ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", "a"];
    expect(keys.map((key) => seekKey(key, 30, 100, false))).toEqual([35, 25, 35, 25, 90, 0, 0, 100, undefined]);
    expect(keys.slice(0, 3).map((key) => seekKey(key, 30, 100, true))).toEqual([25, 35, 35]);
    expect(seekKey("ArrowRight", 98, 100, false)).toBe(100);
  });

  it("leaves the browser its shortcuts", () => {
    expect(commandOf({ key: "f", ctrlKey: true }, "none")).toBeUndefined();
  });

  it("steps through the speeds and stops at the ends", () => {
    expect(nextSpeed(1, 1)).toBe(1.25);
    expect(nextSpeed(2, 1)).toBe(2);
    expect(nextSpeed(0.5, -1)).toBe(0.5);
    // A party runs 5 % faster or slower now and then.
    expect(nextSpeed(1.5 * 1.05, 1)).toBe(1.75);
    expect(nextSpeed(2 * 0.95, -1)).toBe(1.75);
  });
});

describe("the start of a segment next to a place", () => {
  const segments = [0, 2, 4, 6.5].map((start) => ({ start }));
  it.each([
    [0.9, 300, 0],
    [3.1, 300, 4],
    [5.3, 300, 6.5],
    [9, 300, 6.5],
    // Somebody would see that it is not where they pointed.
    [3.1, 80, undefined],
    [10, 300, undefined],
  ])("%d s of %d s: %s", (time, duration, start) => {
    expect(nearestStart(segments, time, duration)).toBe(start);
  });

  it("is not known before the film is", () => {
    expect(nearestStart([], 3, 300)).toBeUndefined();
    expect(nearestStart(segments, 3, Number.NaN)).toBeUndefined();
  });
});

describe("presses", () => {
  const stage = (duration = 100) => {
    const video = document.createElement("video");
    video.play = async () => undefined;
    const actions = makeActions({
      steer: () => false,
      video: () => video,
      frame: () => null,
      duration: () => duration,
      frameRate: () => 24,
      soonest: (time) => Math.round(time / 2) * 2,
      flash: () => undefined,
    });
    return { video, actions };
  };

  it("go to the exact time that is named, and to what is shown soonest where a place is pointed at", () => {
    const { video, actions } = stage();
    actions.seekTo(30.7);
    expect(video.currentTime).toBe(30.7);
    actions.jumpTo(30.7);
    expect(video.currentTime).toBe(30);
    actions.jump(0.607);
    expect(video.currentTime).toBe(60);
  });

  it("unmute to what was heard before the volume was drawn to nothing", () => {
    const { video, actions } = stage();
    actions.setVolume(0.8);
    actions.setVolume(0);
    expect([video.volume, video.muted]).toEqual([0, true]);
    actions.mute();
    expect([video.volume, video.muted]).toEqual([0.8, false]);
    actions.mute();
    expect([video.volume, video.muted]).toEqual([0.8, true]);
  });

  it("unmute to something that can be heard, though the slider passed through whispers", () => {
    const { video, actions } = stage();
    for (const volume of [0.5, 0.05, 0]) actions.setVolume(volume);
    actions.mute();
    expect(video.volume).toBe(0.25);
  });

  it("show the picture after and before, by the film's own rate, and stop", () => {
    const { video, actions } = stage();
    const pause = vi.spyOn(video, "pause").mockImplementation(() => undefined);
    video.currentTime = 10;
    actions.frame(1);
    expect(Math.floor(video.currentTime * 24)).toBe(241);
    actions.frame(1);
    expect(Math.floor(video.currentTime * 24)).toBe(242);
    for (let step = 0; step < 3; step += 1) actions.frame(-1);
    expect(Math.floor(video.currentTime * 24)).toBe(239);
    expect(pause).toHaveBeenCalledTimes(5);
  });

  it("jump by the length that is known before the film has said its own", () => {
    const { video, actions } = stage();
    Object.defineProperty(video, "duration", { value: Number.NaN });
    runCommand({ do: "jump", fraction: 0.5 }, actions, video);
    expect(video.currentTime).toBe(50);
    runCommand({ do: "jump", fraction: 0.5 }, stage(Number.NaN).actions, video);
    expect(video.currentTime).toBe(50);
  });
});

describe("taps", () => {
  it("seeks on two in a row on one side, else shows the controls", () => {
    const single = vi.fn();
    const seekBy = vi.fn();
    const tap = makeTaps({ single, seekBy });
    tap(0.9, 0);
    tap(0.9, 200);
    tap(0.1, 1000);
    tap(0.1, 1900);
    tap(0.5, 2000);
    tap(0.5, 2100);
    expect(seekBy.mock.calls).toEqual([[10]]);
    expect(single).toHaveBeenCalledTimes(5);
  });
});

describe("positions", () => {
  const at = () => new Date("2026-11-21T10:00:00Z");
  const reporter = () => {
    const send = vi.fn(async () => undefined as never);
    return { send, positions: new PositionReporter("s1", send, at) };
  };
  const said = (send: ReturnType<typeof reporter>["send"]) =>
    (send.mock.calls as unknown as [string, { position_s: number; state: string }][]).map(([, body]) => [
      body.state,
      body.position_s,
    ]);

  it("go out every five seconds, on a jump, on pause and at the end", () => {
    const { send, positions } = reporter();
    for (const time of [0, 1, 2, 3, 4, 5.02, 6, 60, 61]) positions.playing(time);
    positions.paused(62.04);
    positions.paused(62.04);
    positions.playing(62.04);
    positions.ended(90);
    expect(said(send)).toEqual([
      ["playing", 0],
      ["playing", 5],
      ["playing", 60],
      ["paused", 62],
      ["playing", 62],
      ["ended", 90],
    ]);
  });

  it("say a last word when the page goes, and nothing after the end", () => {
    const playing = reporter();
    playing.positions.playing(10);
    playing.positions.leave(12);
    playing.positions.leave(13);
    expect(said(playing.send)).toEqual([
      ["playing", 10],
      ["paused", 12],
    ]);
    const over = reporter();
    over.positions.ended(90);
    over.positions.leave(90);
    expect(said(over.send)).toEqual([["ended", 90]]);
  });

  it("carry the time of the player's clock", () => {
    const { send, positions } = reporter();
    positions.playing(1);
    expect(send).toHaveBeenCalledWith("s1", { position_s: 1, state: "playing", at: "2026-11-21T10:00:00.000Z" });
  });
});

describe("previews", () => {
  const text =
    "WEBVTT\n\n00:00.000 --> 00:10.000\nsheet.jpg#xywh=0,0,160,90\n\n1\n00:10.000 --> 00:20.000\nsheet.jpg#xywh=160,0,160,90\n\nbroken\n";
  it("reads the cues and finds the one of a moment", () => {
    const previews = parseStoryboard(text, "http://house/media/x/board.vtt");
    expect(previews).toHaveLength(2);
    expect(previewAt(previews, 12)).toMatchObject({ x: 160, url: "http://house/media/x/sheet.jpg" });
    expect(previewAt(previews, 99)?.x).toBe(160);
    expect(previewAt([], 1)).toBeUndefined();
  });
});

describe("chapters", () => {
  it("are named by their number where they have no name, and hold until the next", () => {
    const parts = partsOf([
      { start_s: 0, name: "The lamp" },
      { start_s: 30, name: null },
    ]);
    expect(parts.map(({ name }) => name)).toEqual(["The lamp", "Chapter 2"]);
    expect([0, 29.9, 30, 500].map((time) => partAt(parts, time)?.name)).toEqual([
      "The lamp",
      "The lamp",
      "Chapter 2",
      "Chapter 2",
    ]);
    expect(partAt(parts.slice(1), 3)).toBeUndefined();
  });
});

describe("the credits", () => {
  const video = { ...initialVideo, duration: 100 };
  it("begin where it was said, else in the last tenth, and whoever has seen the end is in them", () => {
    expect(inCredits({ credits_at_s: 80 }, { ...video, time: 79.9 })).toBe(false);
    expect(inCredits({ credits_at_s: 80 }, { ...video, time: 80 })).toBe(true);
    expect(inCredits({}, { ...video, time: 89 })).toBe(false);
    expect(inCredits({}, { ...video, time: 90 })).toBe(true);
    expect(inCredits({}, { ...video, time: 4000, duration: 4030 })).toBe(false);
    expect(inCredits({}, { ...video, ended: true })).toBe(true);
    expect(inCredits({}, { ...video, time: 0, duration: 0 })).toBe(false);
  });
});

it("offers each height once, best first", () => {
  const levels = [
    { height: 240, bitrate: 1 },
    { height: 720, bitrate: 3 },
    { height: 720, bitrate: 5 },
  ];
  expect(qualitiesOf(levels)).toEqual([
    { index: 2, height: 720 },
    { index: 0, height: 240 },
  ]);
});
