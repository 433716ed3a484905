/** One to five stars as a radio group: arrows move, a press chooses, pointing shows what it would be. */
import { useId, useState } from "react";
import { strings } from "@/strings";
import { Icon } from "./icons";

interface StarsProps {
  value: number | undefined;
  onChange: (stars: number) => void;
  label?: string;
}

const VALUES = [1, 2, 3, 4, 5];

export function Stars({ value, onChange, label = strings.title.yourRating }: StarsProps) {
  const name = useId();
  const [pointed, setPointed] = useState<number>();
  const lit = pointed ?? Math.round(value ?? 0);
  return (
    <fieldset className="stars" onMouseLeave={() => setPointed(undefined)}>
      <legend className="visually-hidden">{label}</legend>
      {VALUES.map((stars) => (
        <label key={stars} data-lit={stars <= lit} onMouseEnter={() => setPointed(stars)}>
          <input
            type="radio"
            name={name}
            value={stars}
            checked={Math.round(value ?? 0) === stars}
            onChange={() => onChange(stars)}
            aria-label={strings.title.stars(stars)}
          />
          <Icon name={stars <= lit ? "starFull" : "star"} />
        </label>
      ))}
    </fieldset>
  );
}
