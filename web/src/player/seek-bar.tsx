/** The thin amber bar: a slider for hands and keys, what is buffered, and a preview of where the pointer is. */
import { type PointerEvent, useEffect, useState } from "react";
import { clockTime } from "@/lib/format";
import { strings } from "@/strings";
import { type Preview, parseStoryboard, previewAt } from "./storyboard";

interface SeekBarProps {
  time: number;
  duration: number;
  buffered: number;
  storyboardUrl?: string | null;
  onSeek: (time: number) => void;
}

export function SeekBar({ time, duration, buffered, storyboardUrl, onSeek }: SeekBarProps) {
  const previews = useStoryboard(storyboardUrl);
  const [pointed, setPointed] = useState<number>();
  const length = duration || 1;
  const point = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const rightToLeft = getComputedStyle(event.currentTarget).direction === "rtl";
    const along = (event.clientX - box.left) / box.width;
    setPointed(Math.max(0, Math.min(1, rightToLeft ? 1 - along : along)));
  };
  return (
    <div className="seek" onPointerMove={point} onPointerLeave={() => setPointed(undefined)}>
      <div className="seek__track" aria-hidden="true">
        <span className="seek__buffered" style={{ transform: `scaleX(${buffered / length})` }} />
        <span className="seek__played" style={{ transform: `scaleX(${time / length})` }} />
      </div>
      <input
        type="range"
        min={0}
        max={Math.max(1, Math.floor(duration))}
        step={1}
        value={Math.floor(time)}
        aria-label={strings.player.seek}
        aria-valuetext={strings.player.seekValue(clockTime(time), clockTime(duration))}
        onChange={(event) => onSeek(Number(event.target.value))}
      />
      {pointed !== undefined && duration > 0 && <Tip at={pointed} time={pointed * duration} previews={previews} />}
    </div>
  );
}

function Tip({ at, time, previews }: { at: number; time: number; previews: Preview[] }) {
  const preview = previewAt(previews, time);
  return (
    <div
      className="seek__tip"
      style={{ insetInlineStart: `clamp(5rem, ${at * 100}%, calc(100% - 5rem))` }}
      aria-hidden="true"
    >
      {preview && (
        <span
          className="seek__picture"
          style={{
            inlineSize: preview.width,
            blockSize: preview.height,
            backgroundImage: `url("${encodeURI(decodeURI(preview.url))}")`,
            backgroundPosition: `-${preview.x}px -${preview.y}px`,
          }}
        />
      )}
      {clockTime(time)}
    </div>
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
