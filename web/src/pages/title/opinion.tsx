/** The viewer's own rating, and what everyone here thinks. */
import { useRate } from "@/api/opinions";
import type { MyRating, RatingCount, Title } from "@/api/types";
import { Icon } from "@/components/icons";
import { Stars } from "@/components/stars";
import { showToast } from "@/components/toast";
import { number, percent, stars } from "@/lib/format";
import { strings } from "@/strings";

const words = strings.title;

export function Opinion({ title }: { title: Pick<Title, "id" | "name" | "my_rating"> }) {
  const rate = useRate(title);
  const mine = title.my_rating;
  const given = mine?.stars ?? undefined;
  const set = (rating: MyRating | null) =>
    rate.mutate(rating, { onSuccess: () => showToast(rating ? words.saved : words.cleared) });
  const opinion = (like: boolean) => set(mine?.like === like ? null : { like });
  return (
    <section className="rate" aria-labelledby="my-rating">
      <h2 id="my-rating">{words.yourRating}</h2>
      <div className="rate__line">
        <Stars value={given} onChange={(value) => set({ stars: value })} />
        {mine && (given !== undefined || mine.like != null) && (
          <button type="button" className="button button--quiet button--small" onClick={() => set(null)}>
            {words.removeRating}
          </button>
        )}
      </div>
      <div className="rate__line">
        <button type="button" className="button" aria-pressed={mine?.like === true} onClick={() => opinion(true)}>
          <Icon name="like" />
          {words.like}
        </button>
        <button type="button" className="button" aria-pressed={mine?.like === false} onClick={() => opinion(false)}>
          <Icon name="dislike" />
          {words.dislike}
        </button>
      </div>
    </section>
  );
}

/** Five lines of whole stars, best first; a half star counts with the star it begins. */
export function wholeStars(histogram: RatingCount[]): RatingCount[] {
  return [5, 4, 3, 2, 1].map((stars) => ({
    stars,
    count: histogram
      .filter((bucket) => Math.ceil(bucket.stars) === stars)
      .reduce((sum, bucket) => sum + bucket.count, 0),
  }));
}

export function RatingDistribution({ title }: { title: Title }) {
  const buckets = wholeStars(title.rating_histogram);
  const total = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  const most = Math.max(1, ...buckets.map((bucket) => bucket.count));
  return (
    <section aria-labelledby="ratings">
      <h2 id="ratings">{words.ratings}</h2>
      {total === 0 || title.average_rating == null ? (
        <p className="muted">{words.noRatings}</p>
      ) : (
        <>
          <p className="average">
            <strong>{stars(title.average_rating)}</strong>
            <span className="muted">{words.ratingsCount(number(title.ratings_count), title.ratings_count === 1)}</span>
          </p>
          <ul className="histogram">
            {buckets.map((bucket) => (
              <li key={bucket.stars}>
                <span aria-hidden="true">{bucket.stars} ★</span>
                <span className="bar" aria-hidden="true">
                  <span style={{ inlineSize: percent(bucket.count / most) }} />
                </span>
                <span aria-hidden="true">{number(bucket.count)}</span>
                <span className="visually-hidden">{words.bucket(String(bucket.stars), number(bucket.count))}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
