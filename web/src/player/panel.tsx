/** A menu over the picture: takes the focus, closes on Escape or its cross, and gives the focus back. */
import { type ReactNode, useEffect, useId, useRef } from "react";
import { Icon } from "@/components/icons";
import { playerEn as words } from "@/strings/player-en";

interface PanelProps {
  title: string;
  onClose: () => void;
  /** Leads back to the menu that this one belongs to. */
  onBack?: () => void;
  backName?: string;
  children: ReactNode;
}

export function Panel({ title, onClose, onBack, backName, children }: PanelProps) {
  const panel = useRef<HTMLDivElement>(null);
  const titleId = useId();
  useEffect(() => {
    const before = document.activeElement;
    const first = "input:checked, [aria-current], .player-menu__body button, .player-menu__body input";
    panel.current?.querySelector<HTMLElement>(first)?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <div
      className="player-menu"
      role="dialog"
      aria-labelledby={titleId}
      ref={panel}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        onClose();
      }}
    >
      <div className="player-menu__head">
        {onBack && (
          <button type="button" className="icon-button" aria-label={backName} onClick={onBack}>
            <Icon name="back" />
          </button>
        )}
        <h2 id={titleId}>{title}</h2>
        <button type="button" className="icon-button" aria-label={words.close} onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div className="player-menu__body">{children}</div>
    </div>
  );
}

interface ChoiceProps<T> {
  legend: string;
  name: string;
  options: readonly { value: T; label: string }[];
  chosen: T | undefined;
  onChoose: (value: T) => void;
  /** Side by side, where the words are short. */
  short?: boolean;
}

export function Choice<T extends string | number>({ legend, name, options, chosen, onChoose, short }: ChoiceProps<T>) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      <div className={short ? "player-choices player-choices--short" : "player-choices"}>
        {options.map(({ value, label }) => (
          <label key={value}>
            <input type="radio" name={name} checked={chosen === value} onChange={() => onChoose(value)} />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

interface SwitchProps {
  label: string;
  on: boolean;
  onChange: (on: boolean) => void;
}

export function Switch({ label, on, onChange }: SwitchProps) {
  return (
    <label className="player-switch">
      <span>{label}</span>
      <input
        type="checkbox"
        role="switch"
        checked={on}
        aria-checked={on}
        onChange={(event) => onChange(event.target.checked)}
      />
    </label>
  );
}
