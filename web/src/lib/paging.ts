/** Lists that come in pages: all entries so far, each title once even if it moved between two pages. */

interface Pages<T> {
  pages: { items: T[] }[];
}

export function flatPages<T>(data: Pages<T> | undefined, idOf: (entry: T) => string): T[] {
  const seen = new Set<string>();
  const all: T[] = [];
  for (const page of data?.pages ?? []) {
    for (const entry of page.items) {
      const id = idOf(entry);
      if (seen.has(id)) continue;
      seen.add(id);
      all.push(entry);
    }
  }
  return all;
}
