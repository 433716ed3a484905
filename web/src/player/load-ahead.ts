/**
 * How far ahead is loaded: a little until the picture is there, then as much as is kept. What comes later would only take the processor
 * from decoding what is waited for: a fast line brings half a minute of film while one picture is decoded.
 */
import type { HlsConfig } from "hls.js";

/** The rest of the segment that is shown, and the one after it. */
export const UNTIL_SHOWN_S = 2;
// As in HTMLMediaElement, which not every simulated document has whole.
const HAVE_CURRENT_DATA = 2;
const EVENTS = ["seeking", "seeked", "loadeddata", "playing"];

/** Holds `config` to it while `video` is shown; answers how to let go of it. */
export function loadAhead(
  video: Pick<HTMLVideoElement, "seeking" | "readyState" | "addEventListener" | "removeEventListener">,
  config: Pick<HlsConfig, "maxMaxBufferLength">,
): () => void {
  let kept: number | undefined;
  const look = () => {
    const waits = video.seeking || video.readyState < HAVE_CURRENT_DATA;
    if (waits && kept === undefined) {
      kept = config.maxMaxBufferLength;
      config.maxMaxBufferLength = UNTIL_SHOWN_S;
    } else if (!waits && kept !== undefined) {
      config.maxMaxBufferLength = kept;
      kept = undefined;
    }
  };
  look();
  for (const name of EVENTS) video.addEventListener(name, look);
  return () => {
    for (const name of EVENTS) video.removeEventListener(name, look);
  };
}
