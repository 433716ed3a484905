/** The line of facts under a title: year, length, maturity, genres, average. */
import type { Card, Title } from "@/api/types";
import { duration, genreList, stars } from "@/lib/format";
import { strings } from "@/strings";
import { Icon } from "./icons";

export function Facts({ title, genres = 3 }: { title: Card & Partial<Title>; genres?: number }) {
  const words = strings.title;
  const seasons = title.seasons?.length ?? 0;
  return (
    <div className="facts">
      {title.average_rating != null && title.ratings_count > 0 && (
        <span>
          <span className="star" aria-hidden="true">
            <Icon name="starFull" />
          </span>
          <span aria-hidden="true">{stars(title.average_rating)}</span>
          <span className="visually-hidden">{words.average(stars(title.average_rating))}</span>
        </span>
      )}
      {title.year != null && <span>{title.year}</span>}
      {title.duration_s ? <span>{duration(title.duration_s)}</span> : null}
      {seasons > 0 && <span>{words.seasons(seasons)}</span>}
      {title.kind !== "film" && seasons === 0 && <span>{words.kinds[title.kind] ?? title.kind}</span>}
      {title.maturity > 0 && <span className="boxed">{words.maturity(title.maturity)}</span>}
      {genres > 0 && title.genres.length > 0 && <span>{genreList(title.genres, genres)}</span>}
    </div>
  );
}
