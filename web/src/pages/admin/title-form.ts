/** From what was typed about a title to what is sent: all of a new one, and of a known one only what has changed. */
import type { TitleChanges, TitleDraft, VideoChanges } from "@/api/admin-endpoints";
import type { AdminTitleWhole, Chapter, TitleKind, Video } from "@/api/types";
import { clockTime, secondsOf } from "@/lib/format";

export type NewCredit = NonNullable<TitleDraft["people"]>[number];

export const KINDS: TitleKind[] = ["film", "series", "episode"];

/** A text as a field gives it back. */
const plain = (text: string) => text.replace(/\r\n?/g, "\n").trim();

/** What was typed, without the fields that were left empty. */
export function draftOf(form: FormData, people: NewCredit[] = []): TitleDraft {
  const text = (name: string) => plain(String(form.get(name) ?? ""));
  const whole = (name: string) => (text(name) === "" ? undefined : Number(text(name)));
  const kind = KINDS.find((known) => known === text("kind")) ?? "film";
  return {
    name: text("name"),
    kind,
    year: whole("year"),
    maturity: whole("maturity"),
    genres: text("genres")
      .split(",")
      .map((genre) => genre.trim())
      .filter(Boolean),
    description: text("description"),
    published: form.has("published"),
    people: people.map(({ name, role }) => ({ name: name.trim(), role })).filter(({ name }) => name !== ""),
    ...(kind === "episode" && {
      place: { series_id: text("series"), season: whole("season") ?? 1, episode: whole("episode") ?? 1 },
    }),
  };
}

/** Only what is not as it was. A title keeps its kind and place; a year or maturity that was emptied is taken away. */
export function changesOf(before: AdminTitleWhole, draft: TitleDraft): TitleChanges {
  const changes: TitleChanges = {};
  if (draft.name !== before.name) changes.name = draft.name;
  if (draft.year !== (before.year ?? undefined)) changes.year = draft.year ?? null;
  if (draft.maturity !== before.maturity) changes.maturity = draft.maturity ?? null;
  if (draft.genres?.join() !== before.genres.join()) changes.genres = draft.genres;
  if (draft.description !== plain(before.description)) changes.description = draft.description;
  if (draft.published !== before.published) changes.published = draft.published;
  if (credits(draft.people ?? []) !== credits(before.people)) changes.people = draft.people;
  return changes;
}

/** When the title appears and goes by itself, where that is said anew. */
export function windowChangesOf(before: AdminTitleWhole, form: FormData): TitleChanges {
  const changes: TitleChanges = {};
  for (const name of ["publish_at", "unpublish_at"] as const) {
    const text = typed(form, name);
    if (text === undefined || text === localTime(before[name])) continue;
    changes[name] = text === "" ? null : new Date(text).toISOString();
  }
  return changes;
}

/** A moment as a field for local times holds it, to the minute. */
export function localTime(moment: string | null | undefined): string {
  if (!moment) return "";
  const at = new Date(moment);
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Where the end credits begin, as the form shows it. */
export const creditsText = (video: Video) => (video.credits_at_s == null ? "" : clockTime(video.credits_at_s));

/** From where to where the opening lasts, as the form shows it. */
export const introTexts = ({ intro }: Video) => (intro ? [clockTime(intro.start_s), clockTime(intro.end_s)] : ["", ""]);

/** A chapter under a curator's hands: its time as it is typed, and what it was. */
export interface ChapterDraft {
  key: number;
  time: string;
  name: string;
  before?: Chapter;
}

export interface ChapterDrafts {
  rows: ChapterDraft[];
  /** What was said by hand is to be taken back. */
  own: boolean;
}

export const chapterDrafts = ({ chapters }: Video): ChapterDrafts => ({
  own: false,
  rows: chapters.map((before, key) => ({ key, time: clockTime(before.start_s), name: before.name ?? "", before })),
});

/** When a line says that its chapter begins: undefined where that is no time. One that nobody has touched stays exact. */
export const beginOf = ({ time, before }: ChapterDraft) => exactly(time, before?.start_s);

export const isEmpty = ({ time, name }: ChapterDraft) => time.trim() === "" && name.trim() === "";

/** What is said anew of the title's video: nothing of what is as it was, or is not there. */
export function videoChangesOf(
  video: Video | undefined | null,
  form: FormData,
  chapters: ChapterDrafts | undefined,
): VideoChanges {
  if (!video) return {};
  return { ...creditsChange(video, form), ...introChange(video, form), ...chaptersChange(video, chapters) };
}

function creditsChange(video: Video, form: FormData): VideoChanges {
  const text = typed(form, "credits");
  return text === undefined || text === creditsText(video) ? {} : { credits_at_s: secondsOf(text) ?? null };
}

function introChange(video: Video, form: FormData): VideoChanges {
  const [from, to] = [typed(form, "intro_from"), typed(form, "intro_to")];
  if (from === undefined || to === undefined || [from, to].join() === introTexts(video).join()) return {};
  if (from === "" && to === "") return { intro: null };
  const seconds = (text: string, before: number | undefined) => exactly(text, before) ?? Number.NaN;
  return { intro: { start_s: seconds(from, video.intro?.start_s), end_s: seconds(to, video.intro?.end_s) } };
}

/** All of them, in order, whichever line they stand in. */
function chaptersChange(video: Video, drafts: ChapterDrafts | undefined): VideoChanges {
  if (!drafts) return {};
  if (drafts.own) return { chapters: null };
  const chapters = drafts.rows
    .filter((row) => !isEmpty(row))
    .map((row) => ({ start_s: beginOf(row) ?? Number.NaN, name: row.name.trim() || null }))
    .sort((a, b) => a.start_s - b.start_s);
  const all = (list: Chapter[]) => JSON.stringify(list.map(({ start_s, name }) => [start_s, name]));
  return all(chapters) === all(video.chapters) ? {} : { chapters };
}

function typed(form: FormData, name: string): string | undefined {
  const text = form.get(name);
  return typeof text === "string" ? text.trim() : undefined;
}

function exactly(text: string, before: number | undefined): number | undefined {
  return before !== undefined && text.trim() === clockTime(before) ? before : secondsOf(text);
}

const credits = (people: NewCredit[]) => people.map(({ name, role }) => `${role}:${name}`).join("\n");
