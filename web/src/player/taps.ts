/** Fingers on the picture: one tap shows or hides the controls, two in a row on a side seek. Pure but for the timer. */

const DOUBLE_MS = 300;
const SEEK_S = 10;

interface TapActions {
  single: () => void;
  seekBy: (seconds: number) => void;
}

/** Answers a handler to be told where along the width (0 to 1) and when a finger was lifted. */
export function makeTaps({ single, seekBy }: TapActions) {
  let last: { side: number; at: number } | undefined;
  return (along: number, atMs: number) => {
    const side = along < 1 / 3 ? -1 : along > 2 / 3 ? 1 : 0;
    const twice = last !== undefined && side !== 0 && last.side === side && atMs - last.at < DOUBLE_MS;
    last = { side, at: atMs };
    if (twice) seekBy(side * SEEK_S);
    else single();
  };
}
