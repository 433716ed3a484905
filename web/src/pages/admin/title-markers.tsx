/** Where parts of a title's video lie: its opening, its end credits and its chapters, in times as the player shows them. */
import { useRef } from "react";
import type { Video } from "@/api/types";
import { Field } from "@/components/field";
import { Icon } from "@/components/icons";
import { clockTime, secondsOf } from "@/lib/format";
import { adminEn } from "@/strings/admin-en";
import { beginOf, type ChapterDraft, type ChapterDrafts, creditsText, introTexts, isEmpty } from "./title-form";

const words = adminEn.titles.markers;
const chapterWords = adminEn.titles.chapters;
/** What the server takes. */
const CHAPTERS_MAX = 200;
const NAME_CHARACTERS_MAX = 60;

interface MarkersProps {
  video: Video;
  errors: Record<string, string>;
  chapters: ChapterDrafts;
  onChapters: (chapters: ChapterDrafts) => void;
}

export function TitleMarkers({ video, errors, chapters, onChapters }: MarkersProps) {
  return (
    <fieldset className="field field--parts">
      <legend className="field__label">{words.title}</legend>
      <p className="field__hint">{words.hint(clockTime(video.duration_s))}</p>
      <Opening video={video} error={errors.intro} />
      <Credits video={video} error={errors.credits_at_s} />
      <Chapters video={video} chapters={chapters} onChange={onChapters} />
    </fieldset>
  );
}

const wrong = (text: string) => (text !== "" && secondsOf(text) === undefined ? words.wrong : "");

/** Both of its times or none; what is the matter with the two is said at the second. */
function Opening({ video, error }: { video: Video; error?: string }) {
  const pair = useRef<HTMLDivElement>(null);
  const [begins, ends] = introTexts(video);
  const check = () => {
    const [from, to] = pair.current?.querySelectorAll("input") ?? [];
    if (!from || !to) return;
    const [begin, end] = [from.value.trim(), to.value.trim()];
    const disorder = begin !== "" && end !== "" && (secondsOf(begin) ?? 0) >= (secondsOf(end) ?? 0);
    from.setCustomValidity(wrong(begin));
    to.setCustomValidity(
      wrong(end) || ((begin === "") !== (end === "") ? words.introBoth : disorder ? words.introOrder : ""),
    );
  };
  return (
    <div className="times" ref={pair}>
      <Field
        name="intro_from"
        label={words.introFrom}
        hint={words.introHint}
        defaultValue={begins}
        onChange={check}
        autoComplete="off"
        error={error}
      />
      <Field name="intro_to" label={words.introTo} defaultValue={ends} onChange={check} autoComplete="off" />
    </div>
  );
}

function Credits({ video, error }: { video: Video; error?: string }) {
  return (
    <Field
      name="credits"
      label={words.credits}
      hint={words.creditsHint}
      defaultValue={creditsText(video)}
      onChange={({ target }) => target.setCustomValidity(wrong(target.value.trim()))}
      autoComplete="off"
      error={error}
    />
  );
}

interface ChaptersProps {
  video: Video;
  chapters: ChapterDrafts;
  onChange: (chapters: ChapterDrafts) => void;
}

function Chapters({ video, chapters: { rows, own }, onChange }: ChaptersProps) {
  const list = useRef<HTMLFieldSetElement>(null);
  const set = (changed: ChapterDraft[]) => onChange({ rows: changed, own: false });
  const add = () => set([...rows, { key: Math.max(-1, ...rows.map(({ key }) => key)) + 1, time: "", name: "" }]);
  const remove = (key: number) => {
    set(rows.filter((row) => row.key !== key));
    // The button goes with its line: the keyboard goes on at the one that adds.
    list.current?.querySelector<HTMLElement>(".button")?.focus();
  };
  return (
    <fieldset className="field" ref={list}>
      <legend className="field__label">{chapterWords.title}</legend>
      <p className="field__hint">{own ? chapterWords.ownSoon : chapterWords.hint}</p>
      {!own &&
        rows.map((row, at) => (
          <ChapterLine
            key={row.key}
            row={row}
            number={at + 1}
            trouble={troubleOf(row, rows, video)}
            onChange={(part) => set(rows.map((one) => (one === row ? { ...one, ...part } : one)))}
            onRemove={() => remove(row.key)}
          />
        ))}
      <div className="buttons">
        {!own && rows.length < CHAPTERS_MAX && (
          <button type="button" className="button button--small" onClick={add}>
            <Icon name="plus" />
            {chapterWords.add}
          </button>
        )}
        {video.chapters_edited && (
          <button type="button" className="button button--small" onClick={() => onChange({ rows, own: !own })}>
            {own ? chapterWords.keep : chapterWords.own}
          </button>
        )}
      </div>
    </fieldset>
  );
}

/** Why such a line cannot be saved; empty where it can. */
function troubleOf(row: ChapterDraft, rows: ChapterDraft[], video: Video): string {
  if (isEmpty(row)) return "";
  const begin = beginOf(row);
  if (begin === undefined) return words.wrong;
  if (begin >= video.duration_s) return words.outside(clockTime(video.duration_s));
  return rows.some((other) => other !== row && beginOf(other) === begin) ? chapterWords.twice : "";
}

interface LineProps {
  row: ChapterDraft;
  number: number;
  trouble: string;
  onChange: (part: Partial<ChapterDraft>) => void;
  onRemove: () => void;
}

function ChapterLine({ row, number, trouble, onChange, onRemove }: LineProps) {
  return (
    <div className="credit credit--timed">
      <input
        className="input"
        ref={(input) => input?.setCustomValidity(trouble)}
        aria-label={chapterWords.time(number)}
        value={row.time}
        placeholder="0:00"
        autoComplete="off"
        onChange={(event) => onChange({ time: event.target.value })}
      />
      <input
        className="input"
        aria-label={chapterWords.name(number)}
        value={row.name}
        maxLength={NAME_CHARACTERS_MAX}
        autoComplete="off"
        onChange={(event) => onChange({ name: event.target.value })}
      />
      <button
        type="button"
        className="icon-button"
        aria-label={chapterWords.remove(row.name || String(number))}
        onClick={onRemove}
      >
        <Icon name="bin" />
      </button>
    </div>
  );
}
