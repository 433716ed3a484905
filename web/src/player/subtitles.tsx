/** The lines over the picture, in the viewer's look. */
import { type RefObject, useEffect, useRef } from "react";
import type { Look } from "./preferences";
import type { Cue } from "./use-subtitles";

interface LinesProps {
  cues: readonly Cue[];
  look: Look;
}

/** Speaks to eyes alone: whoever listens hears the film, and hearing its words twice would cover it. */
export function SubtitleLines({ cues, look }: LinesProps) {
  if (cues.length === 0) return null;
  return (
    <div className="subtitles" {...lookAttributes(look)} aria-hidden="true">
      {cues.map((cue) => (
        <Line key={cue.id} cue={cue} />
      ))}
    </div>
  );
}

export const lookAttributes = ({ size, colour, background, edge }: Look) => ({
  "data-size": size,
  "data-colour": colour,
  "data-background": background,
  "data-edge": edge,
});

function Line({ cue }: { cue: Cue }) {
  const line = useRef<HTMLSpanElement>(null);
  useFragment(line, cue.text);
  return (
    <p data-align={cue.align}>
      <span ref={line} />
    </p>
  );
}

function useFragment(target: RefObject<HTMLElement | null>, fragment: DocumentFragment) {
  useEffect(() => {
    // A copy: a fragment that was put somewhere is empty afterwards.
    target.current?.replaceChildren(fragment.cloneNode(true));
  }, [target, fragment]);
}
