/** The parts of a film: which one a moment lies in, and the list of them, by which one gets anywhere without dragging. */
import type { Chapter } from "@/api/types";
import { clockTime } from "@/lib/format";
import { playerEn as words } from "@/strings/player-en";
import { Panel } from "./panel";

/** A part of the film, always with a name: its own, or its number. */
export interface Part {
  start_s: number;
  name: string;
}

export const partsOf = (chapters: readonly Chapter[]): Part[] =>
  chapters.map(({ start_s, name }, at) => ({ start_s, name: name || words.chapter(at + 1) }));

export const partAt = (parts: readonly Part[], time: number): Part | undefined =>
  parts.findLast(({ start_s }) => start_s <= time);

interface ChaptersProps {
  chapters: readonly Part[];
  time: number;
  onSeek: (time: number) => void;
  onClose: () => void;
}

export function ChaptersPanel({ chapters, time, onSeek, onClose }: ChaptersProps) {
  const here = partAt(chapters, time);
  return (
    <Panel title={words.chapters} onClose={onClose}>
      <ol className="chapters">
        {chapters.map((chapter) => (
          <li key={chapter.start_s}>
            <button
              type="button"
              aria-current={chapter === here ? "true" : undefined}
              onClick={() => onSeek(chapter.start_s)}
            >
              <span>{chapter.name}</span>
              <span className="muted">{clockTime(chapter.start_s)}</span>
            </button>
          </li>
        ))}
      </ol>
    </Panel>
  );
}
