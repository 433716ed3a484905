/** Quality, speed and subtitles. */
import { useEffect, useRef } from "react";
import { stars as oneDigit } from "@/lib/format";
import { strings } from "@/strings";
import type { Engine, EngineState } from "./engine";
import { SPEEDS } from "./keyboard";

interface PanelProps {
  engine: Engine | undefined;
  state: EngineState;
  rate: number;
  onRate: (rate: number) => void;
  onClose: () => void;
}

const words = strings.player;

export function SettingsPanel({ engine, state, rate, onRate, onClose }: PanelProps) {
  const panel = useRef<HTMLDivElement>(null);
  // The focus goes into the panel, and back to the button that opened it.
  useEffect(() => {
    const before = document.activeElement;
    panel.current?.querySelector<HTMLElement>("input:checked")?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  const qualities = [
    { index: -1, label: state.chosen === -1 && state.playingHeight ? words.autoAt(state.playingHeight) : words.auto },
    ...state.qualities.map(({ index, height }) => ({ index, label: words.level(height) })),
  ];
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes the panel from any control inside.
    <div
      className="player__panel"
      ref={panel}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
        event.stopPropagation();
      }}
    >
      <fieldset>
        <legend>{words.quality}</legend>
        {qualities.map(({ index, label }) => (
          <label key={index}>
            <input
              type="radio"
              name="quality"
              checked={state.chosen === index}
              onChange={() => engine?.chooseQuality(index)}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <fieldset>
        <legend>{words.speed}</legend>
        <div className="speeds">
          {SPEEDS.map((speed) => (
            <label key={speed}>
              <input type="radio" name="speed" checked={rate === speed} onChange={() => onRate(speed)} />
              {speedText(speed)}
            </label>
          ))}
        </div>
      </fieldset>
      {state.subtitles.length > 0 && (
        <fieldset>
          <legend>{words.subtitles}</legend>
          {[{ index: -1, label: words.off }, ...state.subtitles].map(({ index, label }) => (
            <label key={index}>
              <input
                type="radio"
                name="subtitles"
                checked={state.chosenSubtitle === index}
                onChange={() => engine?.chooseSubtitle(index)}
              />
              {label}
            </label>
          ))}
        </fieldset>
      )}
    </div>
  );
}

export const speedText = (speed: number) =>
  words.speedAt(Number.isInteger(speed * 10) && !Number.isInteger(speed) ? oneDigit(speed) : String(speed));
