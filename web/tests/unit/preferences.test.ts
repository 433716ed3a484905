/** What is remembered of how somebody likes to watch, and which tracks they get by it. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Subtitles } from "@/api/types";
import {
  type AudioTrack,
  audioLabel,
  audioRole,
  chooseAudio,
  chooseSubtitles,
  forcedSubtitles,
  likedAudio,
  subtitlesLabel,
  subtitlesToSwitchOn,
} from "@/player/languages";
import { initialPreferences, parsePreferences, preferences } from "@/player/preferences";

describe("preferences", () => {
  beforeEach(() => preferences.reread());

  it("come back as they were left, on the next page too", () => {
    const wanted = { language: "de", accessible: true };
    const look = { size: "huge", colour: "yellow", background: "none", edge: "outline" } as const;
    preferences.change({ subtitles: wanted, surround: true, look, singleKeys: false });
    preferences.reread();
    expect(preferences.get()).toEqual({
      ...initialPreferences,
      subtitles: wanted,
      surround: true,
      look,
      singleKeys: false,
    });
  });

  it.each([
    ["nothing", null],
    ["no JSON", "{"],
    ["a list", "[1]"],
    ["null", "null"],
    [
      "values that nobody knows",
      '{"look":{"size":"giant","edge":7},"subtitles":{"language":4},"autoplay":"no","surround":6}',
    ],
    ["a language without end", JSON.stringify({ audio: { language: "x".repeat(36) } })],
  ])("are those of somebody new where %s was kept", (_what, text) => {
    expect(parsePreferences(text)).toEqual(initialPreferences);
  });

  it("tell whoever listens", () => {
    const seen: boolean[] = [];
    const stop = preferences.subscribe(() => seen.push(preferences.get().autoplay));
    preferences.change({ autoplay: false });
    stop();
    preferences.change({ autoplay: true });
    expect(seen).toEqual([false]);
  });
});

const line = (id: string, language: string | null, kind: Subtitles["kind"] = "subtitles"): Subtitles => ({
  id,
  language,
  label: "",
  kind,
  url: `/${id}.vtt`,
});

describe("subtitles", () => {
  const all = [
    line("1", "en"),
    line("2", "en", "captions"),
    line("3", "pt-BR"),
    line("4", "en", "forced"),
    line("5", null),
  ];
  const id = (language: string, accessible = false) => chooseSubtitles(all, { language, accessible })?.id;

  it("are those that were wanted last, in that language or its family", () => {
    expect([id("en"), id("en", true), id("en-GB"), id("pt"), id("pt-PT", true), id("fr")]).toEqual([
      "1",
      "2",
      "1",
      "3",
      "3",
      undefined,
    ]);
    expect(chooseSubtitles(all, undefined)).toBeUndefined();
  });

  it("of signs and foreign words come by themselves, in the language that is heard", () => {
    expect(forcedSubtitles(all, "en-US")?.id).toBe("4");
    expect(forcedSubtitles(all, "fr")).toBeUndefined();
    expect(forcedSubtitles(all, undefined)?.id).toBe("4");
    expect(chooseSubtitles([line("4", "en", "forced")], { language: "en", accessible: false })).toBeUndefined();
  });

  it("come back with one key: those of last time, else the browser's language, else the first", () => {
    expect(subtitlesToSwitchOn(all, { language: "en", accessible: true }, ["pt"])?.id).toBe("2");
    expect(subtitlesToSwitchOn(all, { language: "fr", accessible: false }, ["pt"])?.id).toBe("3");
    expect(subtitlesToSwitchOn(all, undefined, ["fr"])?.id).toBe("1");
    expect(subtitlesToSwitchOn([], undefined, ["en"])).toBeUndefined();
  });

  it("are named in the viewer's words where the file says only its language", () => {
    expect(all.map(subtitlesLabel)).toEqual([
      "English",
      "English (with sounds)",
      "Brazilian Portuguese",
      "English",
      "Subtitles",
    ]);
    expect(subtitlesLabel({ ...line("6", "x-!"), label: "Klingon" })).toBe("Klingon");
  });
});

describe("sound", () => {
  const track = (index: number, language: string, name = "", channels = 2): AudioTrack => ({
    index,
    language,
    name,
    channels,
    role: audioRole(name, name.includes("described") ? "public.accessibility.describes-video" : undefined),
    isDefault: false,
  });
  const never = () => {
    throw new Error("asked without a choice");
  };
  const all = [
    track(0, "en", "English"),
    track(1, "en", "Commentary by the director"),
    track(2, "fr", "Français", 6),
    track(3, "en", "English, described"),
  ];

  it("is the film's own in the language of last time, never a commentary", () => {
    const index = (language: string, accessible = false) => chooseAudio(all, { language, accessible }, never)?.index;
    expect([index("en"), index("fr-CA"), index("en", true), index("fr", true), index("it")]).toEqual([
      0,
      2,
      3,
      2,
      undefined,
    ]);
    expect(chooseAudio([all[1] as AudioTrack], { language: "en", accessible: false }, never)).toBeUndefined();
    expect(chooseAudio(all, undefined, never)).toBeUndefined();
  });

  const inBoth = [
    { ...track(0, "en", "English"), isDefault: true },
    { ...track(1, "en", "English", 6), isDefault: true },
    track(2, "fr", "Français"),
    track(3, "fr", "Français", 6),
    track(4, "de", "Deutsch"),
  ];
  it.each([
    [undefined, false, undefined],
    [undefined, true, 1],
    ["it", true, 1],
    ["it", false, undefined],
    ["fr", false, 2],
    ["fr", true, 3],
    ["de", true, 4],
  ])("in %s, from all sides: %s, is track %s", (language, around, index) => {
    const wanted = language ? { language, accessible: false } : undefined;
    expect(chooseAudio(inBoth, wanted, () => around)?.index).toBe(index);
  });

  it("says by a choice what is liked, of channels only where they were chosen", () => {
    const liked = (index: number) => likedAudio(inBoth, inBoth[index] as AudioTrack);
    expect(liked(1)).toEqual({ audio: { language: "en", accessible: false }, surround: true });
    expect(liked(2)).toEqual({ audio: { language: "fr", accessible: false }, surround: false });
    expect(liked(4)).toEqual({ audio: { language: "de", accessible: false } });
    expect(likedAudio(all, all[1] as AudioTrack)).toEqual({});
  });

  it("says what tells one track from another, once", () => {
    expect(
      [...all, track(4, "de", "", 8), track(5, "", "", 2), track(6, "en", "English 5.1", 6)].map(audioLabel),
    ).toEqual([
      "English",
      "Commentary by the director",
      "Français, 5.1",
      "English, described",
      "German, 7.1",
      "Track 6",
      "English 5.1",
    ]);
  });
});
