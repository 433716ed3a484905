/** From what was typed about a title to what is sent: all of a new one, and of a known one only what has changed. */
import type { TitleChanges, TitleDraft, VideoChanges } from "@/api/admin-endpoints";
import type { AdminTitleWhole, TitleKind, Video } from "@/api/types";
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

/** Where the end credits begin, as the form shows it. */
export const creditsText = (video: Video) => (video.credits_at_s == null ? "" : clockTime(video.credits_at_s));

/** What is said anew of the title's video: nothing where the field is as it was, or is not there. */
export function videoChangesOf(video: Video | undefined | null, form: FormData): VideoChanges {
  const text = form.get("credits");
  if (!video || typeof text !== "string" || text.trim() === creditsText(video)) return {};
  return { credits_at_s: secondsOf(text) ?? null };
}

const credits = (people: NewCredit[]) => people.map(({ name, role }) => `${role}:${name}`).join("\n");
