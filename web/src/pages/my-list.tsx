/** What this profile has put aside to watch. */
import "@/styles/lists.css";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { myListQuery } from "@/api/queries";
import { CardGrid, More } from "@/components/card-grid";
import { usePageTitle } from "@/components/page-title";
import { GridSkeleton } from "@/components/skeletons";
import { EmptyState, ErrorState } from "@/components/states";
import { flatPages } from "@/lib/paging";
import { strings } from "@/strings";

const words = strings.list;

export function MyListPage() {
  usePageTitle(words.title);
  const list = useInfiniteQuery(myListQuery);
  const cards = flatPages(list.data, (card) => card.id);
  return (
    <main id="content" tabIndex={-1} className="page">
      <h1 className="page__title">{words.title}</h1>
      {list.isError && <ErrorState error={list.error} retry={() => list.refetch()} />}
      {list.isPending && <GridSkeleton />}
      {list.data && cards.length === 0 && (
        <EmptyState title={words.empty} lead={words.emptyLead}>
          <Link to="/browse" className="button button--primary">
            {words.find}
          </Link>
        </EmptyState>
      )}
      <CardGrid cards={cards} label={words.title} />
      <More hasMore={list.hasNextPage} loading={list.isFetchingNextPage} onMore={list.fetchNextPage}>
        {words.more}
      </More>
    </main>
  );
}
