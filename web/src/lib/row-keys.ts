/** Where an arrow key goes inside a row of cards: one tab stop, arrows within, no surprise at the ends. */

export type RowMove = { index: number } | "actions" | undefined;

/** The card to focus after `key` on card `index` of `count`; `actions` opens the card's own toolbar. */
export function moveInRow(key: string, index: number, count: number, perPage: number, rightToLeft = false): RowMove {
  const forward = rightToLeft ? "ArrowLeft" : "ArrowRight";
  const back = rightToLeft ? "ArrowRight" : "ArrowLeft";
  switch (key) {
    case forward:
      return { index: Math.min(index + 1, count - 1) };
    case back:
      return { index: Math.max(index - 1, 0) };
    case "PageDown":
      return { index: Math.min(index + perPage, count - 1) };
    case "PageUp":
      return { index: Math.max(index - perPage, 0) };
    case "Home":
      return { index: 0 };
    case "End":
      return { index: count - 1 };
    case "ArrowDown":
      return "actions";
    default:
      return undefined;
  }
}

/** The place in a row for the card that had focus before: the card itself, or where it used to be if it has gone. */
export function keptIndex(ids: readonly string[], keptId: string | undefined, keptPlace: number): number {
  const found = keptId === undefined ? -1 : ids.indexOf(keptId);
  if (found >= 0) return found;
  return Math.max(0, Math.min(keptPlace, ids.length - 1));
}
