/** What was watched, when and how far; removing an entry also removes it from the taste. */
import { type InfiniteData, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import * as api from "@/api/endpoints";
import { tasteChanged } from "@/api/opinions";
import { historyQuery } from "@/api/queries";
import type { Card, HistoryEntry, Page } from "@/api/types";
import { Artwork } from "@/components/artwork";
import { More } from "@/components/card-grid";
import { Icon } from "@/components/icons";
import { ListSkeleton } from "@/components/skeletons";
import { EmptyState, ErrorState } from "@/components/states";
import { showToast } from "@/components/toast";
import { percent, relative, timeLeft } from "@/lib/format";
import { flatPages } from "@/lib/paging";
import { strings } from "@/strings";

const words = strings.profile;
type Pages = InfiniteData<Page<HistoryEntry>, string | undefined>;

export function Section() {
  const history = useInfiniteQuery(historyQuery);
  const remove = useRemove();
  const entries = flatPages(history.data, (entry) => entry.title.id);
  if (history.isPending) return <ListSkeleton />;
  if (history.isError && !history.data) return <ErrorState error={history.error} retry={() => history.refetch()} />;
  if (entries.length === 0) {
    return (
      <EmptyState title={words.historyEmpty} lead={words.historyEmptyLead}>
        <Link to="/" className="button button--primary">
          {strings.list.find}
        </Link>
      </EmptyState>
    );
  }
  return (
    <section aria-label={words.history}>
      <ul className="entries">
        {entries.map((entry) => (
          <li key={entry.title.id} className="entry">
            <Link to="/title/$id" params={{ id: entry.title.id }} tabIndex={-1} aria-hidden="true">
              <Artwork src={entry.title.backdrop_url} wide />
            </Link>
            <div>
              <Link to="/title/$id" params={{ id: entry.title.id }} className="entry__name">
                {entry.title.name}
              </Link>
              <p className="muted small">{words.watchedOn(relative(entry.last_watched_at))}</p>
              <EntryProgress entry={entry} />
            </div>
            <div className="entry__end">
              <button
                type="button"
                className="icon-button"
                aria-label={words.historyRemove(entry.title.name)}
                title={words.historyRemove(entry.title.name)}
                onClick={() => remove.mutate(entry.title)}
              >
                <Icon name="bin" />
              </button>
            </div>
          </li>
        ))}
      </ul>
      <More hasMore={history.hasNextPage} loading={history.isFetchingNextPage} onMore={history.fetchNextPage}>
        {words.more}
      </More>
    </section>
  );
}

function EntryProgress({ entry: { progress } }: { entry: HistoryEntry }) {
  return (
    <>
      <span className="bar" style={{ display: "block" }} aria-hidden="true">
        <span style={{ inlineSize: percent(progress.finished ? 1 : progress.fraction) }} />
      </span>
      <span className="muted small">
        {progress.finished ? words.finished : strings.home.timeLeft(timeLeft(progress))}
      </span>
    </>
  );
}

/** Gone at once; back again if the server refuses. */
function useRemove() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (title: Card) => api.removeFromHistory(title.id),
    onMutate: async (title) => {
      await client.cancelQueries({ queryKey: historyQuery.queryKey });
      const before = client.getQueryData<Pages>(historyQuery.queryKey);
      client.setQueryData<Pages>(historyQuery.queryKey, (old) => old && withoutEntry(old, title.id));
      return before;
    },
    onError: (_error, _title, before) => {
      client.setQueryData(historyQuery.queryKey, before);
      showToast(strings.card.failed);
    },
    onSuccess: (_answer, title) => showToast(words.historyRemoved(title.name)),
    onSettled: (_answer, _error, title) => tasteChanged(client, title.id),
  });
}

export function withoutEntry(data: Pages, id: string): Pages {
  return {
    ...data,
    pages: data.pages.map((page) => ({ ...page, items: page.items.filter((entry) => entry.title.id !== id) })),
  };
}
