/** Places of a film that can be shown sooner than those between them. */

/** What nobody notices who points at a place: a hundredth of the film. */
const NOTICED_SHARE = 0.01;

/** The start of a segment next to `time`, in seconds; undefined where all are further off than anybody would take for it. */
export function nearestStart(
  segments: readonly { start: number }[],
  time: number,
  duration: number,
): number | undefined {
  let nearest: number | undefined;
  for (const { start } of segments) {
    if (nearest === undefined || Math.abs(start - time) < Math.abs(nearest - time)) nearest = start;
  }
  return nearest !== undefined && Math.abs(nearest - time) <= NOTICED_SHARE * duration ? nearest : undefined;
}
