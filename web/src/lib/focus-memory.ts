/** What the viewer left a page from, so that coming back finds the same card in the same place. */

interface Place {
  cardId: string;
  index: number;
  scroll: number;
}

const places = new Map<string, Place>();
let leftFrom: string | undefined;

export const focusMemory = {
  place: (row: string): Place | undefined => places.get(row),
  remember(row: string, place: Place) {
    places.set(row, place);
  },
  /** A card was opened: its row gets the focus back on return. */
  leave(row: string) {
    leftFrom = row;
  },
  /** True once, for the row that was left, when the page is shown again. */
  takeReturn(row: string): boolean {
    if (leftFrom !== row) return false;
    leftFrom = undefined;
    return true;
  },
  clear() {
    places.clear();
    leftFrom = undefined;
  },
};
