/** Changes one title everywhere it is cached, so that every page shows an opinion at once; and puts all back on failure. */
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import type { Card, Id } from "./types";

export type CardPatch = (card: Card) => Card;
/** One title as each cache had it: putting it back leaves what has happened to others since. */
export interface Snapshot {
  id: Id;
  cards: [QueryKey, Card][];
}

const CACHES = ["home", "title", "similar", "search", "browse", "my-list", "history", "onboarding"];

/** Applies `patch` to each cached card of the title; answers what was there before. */
export function patchCards(client: QueryClient, id: Id, patch: CardPatch): Snapshot {
  const before: Snapshot = { id, cards: [] };
  for (const cache of CACHES) {
    for (const [key, data] of client.getQueriesData({ queryKey: [cache] })) {
      let first: Card | undefined;
      const changed = mapCards(data, id, (card) => {
        first ??= card;
        return patch(card);
      });
      if (changed === data || !first) continue;
      before.cards.push([key, first]);
      client.setQueryData(key, changed);
    }
  }
  return before;
}

export function restore(client: QueryClient, snapshot: Snapshot) {
  for (const [key, card] of snapshot.cards) {
    client.setQueryData(key, (data: unknown) => mapCards(data, snapshot.id, () => card));
  }
}

/** A copy with each card of `id` patched; the very same value where there is none, so nothing redraws in vain. */
export function mapCards(value: unknown, id: Id, patch: CardPatch): unknown {
  if (Array.isArray(value)) {
    const mapped = value.map((entry) => mapCards(entry, id, patch));
    return mapped.some((entry, at) => entry !== value[at]) ? mapped : value;
  }
  if (value === null || typeof value !== "object") return value;
  if (isCard(value) && value.id === id) return patch(value);
  let changed: Record<string, unknown> | undefined;
  for (const [name, entry] of Object.entries(value)) {
    const mapped = mapCards(entry, id, patch);
    if (mapped === entry) continue;
    changed ??= { ...value };
    changed[name] = mapped;
  }
  return changed ?? value;
}

function isCard(value: object): value is Card {
  return "poster_url" in value && "id" in value;
}
