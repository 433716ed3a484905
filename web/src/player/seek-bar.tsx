/** The thin amber bar: a slider for hands and keys, what is buffered, chapters, and a preview of where one is about to go. */
import { type KeyboardEvent, type PointerEvent, useEffect, useState } from "react";
import { clockTime } from "@/lib/format";
import { playerEn as words } from "@/strings/player-en";
import { type Part, partAt } from "./chapters";
import { seekKey } from "./keyboard";
import { type Preview, parseStoryboard, previewAt } from "./storyboard";

interface SeekBarProps {
  time: number;
  duration: number;
  buffered: number;
  storyboardUrl?: string | null;
  chapters: readonly Part[];
  /** Where the film is now; a held key comes more often than it is drawn. */
  position: () => number;
  onSeek: (time: number) => void;
  /** Where a hand lets go: it points at a place as well as a hand can. */
  onJump: (time: number) => void;
}

export function SeekBar({ time, duration, buffered, storyboardUrl, chapters, position, onSeek, onJump }: SeekBarProps) {
  const previews = useStoryboard(storyboardUrl);
  const [pointed, setPointed] = useState<number>();
  // What a hand drags goes there when it lets go: on the way it would load what nobody looks at.
  const [dragged, setDragged] = useState<number>();
  const [keyed, setKeyed] = useState(false);
  const shown = dragged ?? time;
  const length = duration || 1;
  const tip = dragged ?? pointed ?? (keyed ? time : undefined);
  const release = () => {
    if (dragged !== undefined) onJump(dragged);
    setDragged(undefined);
  };
  const press = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const to = seekKey(event.key, position(), duration, isRightToLeft(event.currentTarget));
    if (to === undefined) return;
    event.preventDefault();
    setKeyed(true);
    onSeek(to);
  };
  return (
    <div
      className="seek"
      onPointerMove={(event) => setPointed(pointedAt(event) * duration)}
      onPointerLeave={() => setPointed(undefined)}
    >
      <Track time={shown} buffered={buffered} length={length} chapters={chapters} />
      <input
        type="range"
        min={0}
        max={length}
        step="any"
        value={Math.min(shown, length)}
        aria-label={words.seek}
        aria-valuetext={words.seekValue(clockTime(shown), clockTime(duration), partAt(chapters, shown)?.name)}
        onPointerDown={(event) => event.button === 0 && setDragged(time)}
        onChange={(event) => {
          const to = Number(event.target.value);
          if (dragged === undefined) onSeek(to);
          else setDragged(to);
        }}
        onPointerUp={release}
        onPointerCancel={() => setDragged(undefined)}
        onKeyDown={press}
        onBlur={() => setKeyed(false)}
      />
      {tip !== undefined && duration > 0 && (
        <Tip time={tip} at={tip / duration} previews={previews} chapter={partAt(chapters, tip)?.name} />
      )}
    </div>
  );
}

const isRightToLeft = (element: Element) => getComputedStyle(element).direction === "rtl";

function pointedAt(event: PointerEvent<HTMLElement>): number {
  const box = event.currentTarget.getBoundingClientRect();
  const along = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
  return isRightToLeft(event.currentTarget) ? 1 - along : along;
}

interface TrackProps {
  time: number;
  buffered: number;
  length: number;
  chapters: readonly Part[];
}

function Track({ time, buffered, length, chapters }: TrackProps) {
  return (
    <div className="seek__track" aria-hidden="true">
      <span className="seek__buffered" style={{ transform: `scaleX(${Math.min(1, buffered / length)})` }} />
      <span className="seek__played" style={{ transform: `scaleX(${Math.min(1, time / length)})` }} />
      {chapters
        .filter(({ start_s }) => start_s > 0 && start_s < length)
        .map(({ start_s }) => (
          <i key={start_s} style={{ insetInlineStart: `${(start_s / length) * 100}%` }} />
        ))}
    </div>
  );
}

interface TipProps {
  at: number;
  time: number;
  previews: Preview[];
  chapter: string | undefined;
}

function Tip({ at, time, previews, chapter }: TipProps) {
  const preview = previewAt(previews, time);
  return (
    <div
      className="seek__tip"
      style={{ insetInlineStart: `clamp(5.5rem, ${at * 100}%, calc(100% - 5.5rem))` }}
      aria-hidden="true"
    >
      {preview && <Picture preview={preview} />}
      {chapter && <span className="seek__chapter">{chapter}</span>}
      <span>{clockTime(time)}</span>
    </div>
  );
}

/** One picture of the sheet. On a large screen it is drawn larger, by whole sheets. */
function Picture({ preview: { url, x, y, width, height } }: { preview: Preview }) {
  return (
    <span className="seek__picture" style={{ aspectRatio: `${width} / ${height}` }}>
      <svg viewBox={`0 0 ${width} ${height}`} width="100%" height="100%" aria-hidden="true">
        <image href={url} x={-x} y={-y} />
      </svg>
    </span>
  );
}

function useStoryboard(url: string | null | undefined): Preview[] {
  const [previews, setPreviews] = useState<Preview[]>([]);
  useEffect(() => {
    if (!url) return;
    const stop = new AbortController();
    fetch(url, { signal: stop.signal })
      .then((response) => (response.ok ? response.text() : ""))
      .then((text) => setPreviews(parseStoryboard(text, new URL(url, document.baseURI).href)))
      .catch(() => {
        // Without previews the bar still seeks.
      });
    return () => stop.abort();
  }, [url]);
  return previews;
}
