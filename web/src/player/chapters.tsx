/** The parts of a film: which one a moment lies in, and the list of them, by which one gets anywhere without dragging. */
import type { Chapter } from "@/api/types";
import { clockTime } from "@/lib/format";
import { playerEn as words } from "@/strings/player-en";
import { Panel } from "./panel";

export const chapterAt = (chapters: readonly Chapter[], time: number): Chapter | undefined =>
  chapters.findLast(({ start_s }) => start_s <= time);

interface ChaptersProps {
  chapters: readonly Chapter[];
  time: number;
  onSeek: (time: number) => void;
  onClose: () => void;
}

export function ChaptersPanel({ chapters, time, onSeek, onClose }: ChaptersProps) {
  const here = chapterAt(chapters, time);
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
