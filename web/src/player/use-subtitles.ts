/**
 * Subtitles as the player draws them: the browser reads the file of the chosen ones, by a `<track>` that it does not show, and says
 * which cues are due. So they can look as the viewer likes, and stand where no control is.
 */
import { type RefObject, useEffect, useEffectEvent, useState } from "react";
import type { Subtitles } from "@/api/types";

export interface Cue {
  id: number;
  /** What the browser made of the cue's markup: text, italics, bold, underlined. */
  text: DocumentFragment;
  top: boolean;
  align: "start" | "center" | "end";
}

const NONE: Cue[] = [];
const LINES = 15;

/** `renew` asks for new addresses where the one of the file is refused; it is tried once more then. */
export function useSubtitles(
  video: RefObject<HTMLVideoElement | null>,
  chosen: Subtitles | undefined,
  renew: () => Promise<unknown>,
): Cue[] {
  const [cues, setCues] = useState<Cue[]>(NONE);
  const [renewed, setRenewed] = useState<string>();
  const id = chosen?.id;
  // Another address of the same file is no reason to read it again.
  const makeTrack = useEffectEvent(() => {
    const node = document.createElement("track");
    node.kind = "subtitles";
    node.srclang = chosen?.language ?? "";
    node.label = chosen?.label ?? "";
    node.src = chosen?.url ?? "";
    return node;
  });
  const refused = useEffectEvent(() => {
    if (renewed !== id)
      renew().then(
        () => setRenewed(id),
        () => undefined,
      );
  });
  const again = renewed === id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` reads the file at its new address.
  useEffect(() => {
    const element = video.current;
    if (!element || id === undefined) return;
    const node = makeTrack();
    const read = () => setCues([...(node.track.activeCues ?? [])].map((cue, at) => toCue(cue as VTTCue, at)));
    const lost = () => refused();
    element.append(node);
    node.track.mode = "hidden";
    node.track.addEventListener("cuechange", read);
    // Cues that are due already when the file arrives make no change.
    node.addEventListener("load", read);
    node.addEventListener("error", lost);
    return () => {
      node.track.removeEventListener("cuechange", read);
      node.removeEventListener("load", read);
      node.removeEventListener("error", lost);
      node.track.mode = "disabled";
      node.remove();
      setCues(NONE);
    };
  }, [video, id, again]);
  return cues;
}

export function toCue(cue: VTTCue, id: number): Cue {
  return { id, text: cue.getCueAsHTML(), top: isTop(cue), align: alignOf(cue.align) };
}

/** Whoever wrote the file asked for the upper half: because the lower one holds something worth seeing. */
function isTop({ line, snapToLines }: VTTCue): boolean {
  if (typeof line !== "number") return false;
  return snapToLines ? line >= 0 && line < LINES / 2 : line < 50;
}

function alignOf(align: string): Cue["align"] {
  if (align === "start" || align === "left") return "start";
  return align === "end" || align === "right" ? "end" : "center";
}
