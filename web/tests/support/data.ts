/** Small data for unit tests. */
import type { Card, Home, HomeRow } from "@/api/types";

export function card(id: string, more: Partial<Card> = {}): Card {
  return {
    id,
    name: `Film ${id}`,
    year: 1927,
    kind: "film",
    genres: ["Drama"],
    maturity: 0,
    poster_url: `/art/${id}/1/poster`,
    backdrop_url: `/art/${id}/1/backdrop`,
    average_rating: 3.5,
    ratings_count: 10,
    playable: true,
    in_my_list: false,
    ...more,
  };
}

export const row = (id: string, ids: string[], kind: HomeRow["kind"] = "top_picks"): HomeRow => ({
  id,
  kind,
  title: `Row ${id}`,
  items: ids.map((entry) => ({ title: card(entry) })),
});

export const home = (...rows: HomeRow[]): Home => ({ page_id: "p", hero: null, rows, ratings_wanted: 0 });
