/** Which track somebody gets: what they wanted last, where the film has it. Languages are BCP 47; `pt` speaks for `pt-BR`. */
import type { Subtitles } from "@/api/types";
import { languageName } from "@/lib/language-name";
import { playerEn as words } from "@/strings/player-en";
import type { Preferences, Wanted } from "./preferences";

const STEREO = 2;

export type AudioRole = "main" | "commentary" | "described";

export interface AudioTrack {
  index: number;
  name: string;
  language: string;
  channels: number;
  role: AudioRole;
  /** What the film itself begins with. */
  isDefault: boolean;
}

const primary = (language: string) => language.toLowerCase().split("-")[0] ?? "";
export const sameLanguage = (a: string, b: string) => primary(a) === primary(b);

/** The best of those in a language: exactly that one first, then any of its family. */
function ofLanguage<T extends { language: string | null }>(tracks: readonly T[], language: string): T[] {
  const family = tracks.filter((track) => sameLanguage(track.language ?? "", language));
  const exact = family.filter((track) => track.language?.toLowerCase() === language.toLowerCase());
  return exact.length > 0 ? exact : family;
}

export const choosable = (all: readonly Subtitles[]) => all.filter(({ kind }) => kind !== "forced");

/** What was wanted last in that language, with sounds or without; the other kind is better than none. */
export function chooseSubtitles(all: readonly Subtitles[], wanted: Wanted | undefined): Subtitles | undefined {
  if (!wanted) return undefined;
  const spoken = ofLanguage(choosable(all), wanted.language);
  return spoken.find(({ kind }) => (kind === "captions") === wanted.accessible) ?? spoken[0];
}

/** What is shown without being asked for: the translations of signs and foreign words, in the language that is heard. */
export function forcedSubtitles(all: readonly Subtitles[], heard: string | undefined): Subtitles | undefined {
  const forced = all.filter(({ kind }) => kind === "forced");
  return heard ? ofLanguage(forced, heard)[0] : forced[0];
}

/** What C switches on: what was on last, else what the viewer's browser speaks, else the first there is. */
export function subtitlesToSwitchOn(
  all: readonly Subtitles[],
  last: Wanted | undefined,
  spoken: readonly string[],
): Subtitles | undefined {
  const wishes = [...(last ? [last] : []), ...spoken.map((language) => ({ language, accessible: false }))];
  for (const wish of wishes) {
    const found = chooseSubtitles(all, wish);
    if (found) return found;
  }
  return choosable(all)[0];
}

/** What is the same but for the number of channels, fewest first. */
const encodingsOf = (all: readonly AudioTrack[], { name, language }: AudioTrack) =>
  all.filter((track) => track.name === name && track.language === language);

/**
 * What a film begins with; undefined leaves it to the film. Whether it is to come from all sides is asked only where there is a choice.
 */
export function chooseAudio(
  all: readonly AudioTrack[],
  wanted: Wanted | undefined,
  around: () => boolean,
): AudioTrack | undefined {
  const spoken = wanted && inLanguage(all, wanted);
  const heard = spoken ?? all.find(({ isDefault }) => isDefault);
  const encodings = heard ? encodingsOf(all, heard) : [];
  if (encodings.length < 2) return spoken;
  return around() ? encodings.at(-1) : spoken && encodings[0];
}

/** A commentary is for one film: who wants a language gets the film's own sound in it. */
function inLanguage(all: readonly AudioTrack[], wanted: Wanted): AudioTrack | undefined {
  const spoken = ofLanguage(all, wanted.language);
  const role = wanted.accessible ? "described" : "main";
  return spoken.find((track) => track.role === role) ?? spoken.find((track) => track.role === "main");
}

/** What a choice says for other films. */
export function likedAudio(all: readonly AudioTrack[], chosen: AudioTrack): Partial<Preferences> {
  const { language, role, channels } = chosen;
  const audio = { language, accessible: role === "described" };
  return {
    ...(role !== "commentary" && language ? { audio } : {}),
    ...(encodingsOf(all, chosen).length > 1 ? { surround: channels > STEREO } : {}),
  };
}

const DESCRIBES = "public.accessibility.describes-video";

export function audioRole(name: string, characteristics: string | undefined): AudioRole {
  if (characteristics?.includes(DESCRIBES)) return "described";
  return /comment|kommentar/i.test(name) ? "commentary" : "main";
}

/** `English, 5.1`; a name that says it already is not told twice. */
export function audioLabel(track: AudioTrack): string {
  const name = track.name || languageName(track.language) || words.audioTrack(track.index + 1);
  const channels = words.channels[track.channels];
  const more = [track.role !== "main" ? words[track.role] : undefined, channels].filter(
    (part): part is string => part !== undefined && !name.toLowerCase().includes(part),
  );
  return more.reduce((label, part) => words.audioWith(label, part), name);
}

export function subtitlesLabel({ label, language, kind }: Pick<Subtitles, "label" | "language" | "kind">): string {
  const name = label || languageName(language) || words.subtitles;
  return kind === "captions" ? words.hardOfHearing(name) : name;
}
