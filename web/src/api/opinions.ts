/** What a viewer thinks of a title: stars, like, dislike, list, watched; shown at once and taken back if the server refuses. */
import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { showToast } from "@/components/toast";
import { strings } from "@/strings";
import { patchCards, restore, type Snapshot } from "./card-cache";
import * as api from "./endpoints";
import type { Card, Home, Id, MyRating, Progress } from "./types";

type Rated = Pick<Card, "id" | "name" | "my_rating">;

/** Opinions of one title reach the server in the order they were given: an undo must not overtake what it undoes. */
const oneByOne = (card: Rated) => ({ id: `rating-${card.id}` });

/** Rates, or removes the rating with `null`. */
export function useRate(card: Rated) {
  const client = useQueryClient();
  return useMutation({
    mutationKey: ["rate", card.id],
    scope: oneByOne(card),
    mutationFn: (rating: MyRating | null) => (rating === null ? api.removeRating(card.id) : api.rate(card.id, rating)),
    onMutate: async (rating) => {
      await client.cancelQueries({ queryKey: ["title", card.id] });
      return patchCards(client, card.id, (old) => withRating(old, rating));
    },
    onError: (_error, _rating, before) => takeBack(client, before),
    onSuccess: (answer) => {
      if (!answer) return;
      const { average_rating, ratings_count, rating_histogram } = answer;
      patchCards(client, card.id, (old) => ({
        ...old,
        average_rating,
        ratings_count,
        ...("rating_histogram" in old && { rating_histogram }),
      }));
    },
    onSettled: () => tasteChanged(client, card.id),
  });
}

/** The title as it looks once the rating counts: stars or like, the newest replaces what was said before. */
export function withRating(card: Card, rating: MyRating | null): Card {
  return { ...card, my_rating: rating };
}

/** Takes a title out of the page for good, with a way back to whatever was said of it before. */
export function useDislike(card: Card) {
  const client = useQueryClient();
  const hide = () => {
    const home = client.getQueryData<Home>(["home"]);
    const before = patchCards(client, card.id, (old) => withRating(old, { like: false }));
    client.setQueryData<Home>(["home"], (now) => now && withoutTitle(now, card.id));
    return { before, home };
  };
  const show = ({ before, home }: ReturnType<typeof hide>) => {
    restore(client, before);
    client.setQueryData<Home>(["home"], (now) => now && home && withTitleOf(now, home, card.id));
  };
  const undo = useMutation({
    scope: oneByOne(card),
    mutationFn: (said: MyRating | null) => (said ? api.rate(card.id, said) : api.removeRating(card.id)),
    onError: () => {
      hide();
      showToast(strings.card.failed);
    },
    onSettled: () => tasteChanged(client, card.id),
  });
  return useMutation({
    scope: oneByOne(card),
    mutationFn: () => api.rate(card.id, { like: false }),
    onMutate: async () => {
      await client.cancelQueries({ queryKey: ["home"] });
      const said = card.my_rating ?? null;
      const hidden = hide();
      showToast(strings.card.hidden(card.name), {
        label: strings.card.undo,
        run: () => {
          show(hidden);
          undo.mutate(said);
        },
      });
      return hidden;
    },
    onError: (_error, _nothing, hidden) => {
      if (hidden) show(hidden);
      showToast(strings.card.failed);
    },
    onSettled: () => tasteChanged(client, card.id),
  });
}

export function withoutTitle(home: Home, id: Id): Home {
  return {
    ...home,
    hero: home.hero?.title.id === id ? null : home.hero,
    rows: home.rows
      .map((row) => ({ ...row, items: row.items.filter((item) => item.title.id !== id) }))
      .filter((row) => row.items.length > 0),
  };
}

/** Puts a title back where it stood in an earlier state of the same page; everything else stays as it is now. */
export function withTitleOf(now: Home, before: Home, id: Id): Home {
  if (now.page_id !== before.page_id) return now;
  const rows = [...now.rows];
  before.rows.forEach((row, at) => {
    const place = row.items.findIndex((item) => item.title.id === id);
    const item = row.items[place];
    if (!item) return;
    const here = rows.findIndex((one) => one.id === row.id);
    const shown = rows[here];
    if (!shown)
      rows.splice(
        placeAfter(before.rows.slice(0, at), rows, (one) => one.id),
        0,
        { ...row, items: [item] },
      );
    else if (!shown.items.some((one) => one.title.id === id)) {
      const items = [...shown.items];
      items.splice(
        placeAfter(row.items.slice(0, place), items, (one) => one.title.id),
        0,
        item,
      );
      rows[here] = { ...shown, items };
    }
  });
  const hero = before.hero?.title.id === id ? (now.hero ?? before.hero) : now.hero;
  return { ...now, hero, rows };
}

/** The place in `now` behind the nearest of those that stood ahead and are still there. */
function placeAfter<T>(ahead: T[], now: T[], idOf: (entry: T) => Id): number {
  const ids = new Set(ahead.map(idOf));
  return now.findLastIndex((entry) => ids.has(idOf(entry))) + 1;
}

export function useMyList(card: Pick<Card, "id" | "name">) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (listed: boolean) => (listed ? api.addToList(card.id) : api.removeFromList(card.id)),
    onMutate: (listed) => patchCards(client, card.id, (old) => ({ ...old, in_my_list: listed })),
    onError: (_error, _listed, before) => takeBack(client, before),
    onSuccess: (_answer, listed) => showToast(listed ? strings.card.added(card.name) : strings.card.removed(card.name)),
    onSettled: () => {
      client.invalidateQueries({ queryKey: ["my-list"] });
      tasteChanged(client, card.id);
    },
  });
}

export function useWatched(card: Pick<Card, "id">) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (watched: boolean) => api.markWatched(card.id, watched),
    onMutate: (watched) =>
      patchCards(client, card.id, (old) => ({ ...old, progress: watched ? finishedOf(old) : null })),
    onError: (_error, _watched, before) => takeBack(client, before),
    onSettled: () => {
      client.invalidateQueries({ queryKey: ["history"] });
      tasteChanged(client, card.id);
    },
  });
}

function finishedOf({ progress, duration_s }: Card): Progress {
  const length = progress?.duration_s ?? duration_s ?? 0;
  return { position_s: length, duration_s: length, fraction: 1, finished: true };
}

function takeBack(client: QueryClient, before: Snapshot | undefined) {
  if (before) restore(client, before);
  showToast(strings.card.failed);
}

/** The next home page must know; the one on the screen stays still under the viewer's hand. */
export function tasteChanged(client: QueryClient, id: Id) {
  client.invalidateQueries({ queryKey: ["home"], refetchType: "none" });
  client.invalidateQueries({ queryKey: ["ratings"] });
  client.invalidateQueries({ queryKey: ["title", id] });
}
