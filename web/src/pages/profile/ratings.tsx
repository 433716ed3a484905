/** Everything this profile has rated, to change or take back. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRate } from "@/api/opinions";
import { ratingsQuery } from "@/api/queries";
import type { RatedTitle } from "@/api/types";
import { Artwork } from "@/components/artwork";
import { More } from "@/components/card-grid";
import { Icon } from "@/components/icons";
import { ListSkeleton } from "@/components/skeletons";
import { Stars } from "@/components/stars";
import { EmptyState, ErrorState } from "@/components/states";
import { relative } from "@/lib/format";
import { flatPages } from "@/lib/paging";
import { strings } from "@/strings";

const words = strings.profile;

export function Section() {
  const ratings = useInfiniteQuery(ratingsQuery);
  const entries = flatPages(ratings.data, (entry) => entry.title.id);
  if (ratings.isPending) return <ListSkeleton />;
  if (ratings.isError && !ratings.data) return <ErrorState error={ratings.error} retry={() => ratings.refetch()} />;
  if (entries.length === 0) {
    return (
      <EmptyState title={words.ratingsEmpty} lead={words.ratingsEmptyLead}>
        <Link to="/welcome" className="button button--primary">
          {strings.home.emptyCta}
        </Link>
      </EmptyState>
    );
  }
  return (
    <section aria-label={words.ratings}>
      <ul className="entries">
        {entries.map((entry) => (
          <li key={entry.title.id} className="entry entry--poster">
            <RatedEntry entry={entry} />
          </li>
        ))}
      </ul>
      <More hasMore={ratings.hasNextPage} loading={ratings.isFetchingNextPage} onMore={ratings.fetchNextPage}>
        {words.more}
      </More>
    </section>
  );
}

function RatedEntry({ entry }: { entry: RatedTitle }) {
  const { title } = entry;
  const rate = useRate(title);
  const shown = rate.variables !== undefined && !rate.isError ? (rate.variables?.stars ?? entry.stars) : entry.stars;
  return (
    <>
      <Link to="/title/$id" params={{ id: title.id }} tabIndex={-1} aria-hidden="true">
        <Artwork src={title.poster_url} />
      </Link>
      <div>
        <Link to="/title/$id" params={{ id: title.id }} className="entry__name">
          {title.name}
        </Link>
        <p className="muted small">
          {words.ratedOn(relative(entry.rated_at))}
          {entry.like != null && ` · ${entry.like ? words.liked : words.disliked}`}
        </p>
      </div>
      <div className="entry__end">
        <Stars
          value={shown ?? undefined}
          label={`${strings.title.yourRating}: ${title.name}`}
          onChange={(stars) => rate.mutate({ stars })}
        />
        <button
          type="button"
          className="icon-button"
          aria-label={`${strings.title.removeRating}: ${title.name}`}
          title={strings.title.removeRating}
          onClick={() => rate.mutate(null)}
        >
          <Icon name="bin" />
        </button>
      </div>
    </>
  );
}
