/** The whole catalogue, narrowed and sorted; pages follow as you scroll. */
import "@/styles/lists.css";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { BrowseFilter } from "@/api/endpoints";
import { browseQuery, genresQuery } from "@/api/queries";
import { CardGrid, More } from "@/components/card-grid";
import { Select } from "@/components/field";
import { usePageTitle } from "@/components/page-title";
import { GridSkeleton } from "@/components/skeletons";
import { EmptyState, ErrorState } from "@/components/states";
import { flatPages } from "@/lib/paging";
import { strings } from "@/strings";

const words = strings.browse;

export function BrowsePage() {
  const filter = useSearch({ from: "/house/browse" });
  const navigate = useNavigate();
  const list = useInfiniteQuery(browseQuery(filter));
  const change = (part: BrowseFilter) =>
    void navigate({ to: "/browse", search: { ...filter, ...part }, replace: true });
  const cards = flatPages(list.data, (card) => card.id);
  const title = filter.genre ?? words.title;
  usePageTitle(title);
  return (
    <main id="content" tabIndex={-1} className="page">
      <h1 className="page__title">{title}</h1>
      <Filters filter={filter} change={change} />
      {list.isError && <ErrorState error={list.error} retry={() => list.refetch()} />}
      {list.isPending && <GridSkeleton count={24} />}
      {list.data && cards.length === 0 && (
        <EmptyState title={words.none} lead={words.noneLead}>
          <button type="button" className="button" onClick={() => void navigate({ to: "/browse", search: {} })}>
            {words.reset}
          </button>
        </EmptyState>
      )}
      <CardGrid cards={cards} label={title} />
      <More hasMore={list.hasNextPage} loading={list.isFetchingNextPage} onMore={list.fetchNextPage}>
        {words.more}
      </More>
    </main>
  );
}

const SORTS = ["popularity", "rating", "year", "added", "name"] as const;
const FIRST_DECADE = 1920;

/** The decades up to this one, as pairs of years. */
export function decades(thisYear: number): { value: string; label: string }[] {
  const all = [{ value: `-${FIRST_DECADE - 1}`, label: words.before(FIRST_DECADE) }];
  for (let decade = FIRST_DECADE; decade <= thisYear; decade += 10) {
    all.push({ value: `${decade}-${decade + 9}`, label: words.decade(decade) });
  }
  return all.reverse();
}

function Filters({ filter, change }: { filter: BrowseFilter; change: (part: BrowseFilter) => void }) {
  const genres = useQuery(genresQuery);
  const years =
    filter.year_min === undefined && filter.year_max === undefined
      ? ""
      : `${filter.year_min ?? ""}-${filter.year_max ?? ""}`;
  const setYears = (value: string) => {
    const [from, to] = value.split("-");
    change({ year_min: from ? Number(from) : undefined, year_max: to ? Number(to) : undefined });
  };
  const known =
    genres.data?.items.map(({ name }) => ({ value: name, label: name })) ??
    (filter.genre ? [{ value: filter.genre, label: filter.genre }] : []);
  const sorts = SORTS.map((value) => ({ value, label: words.sorts[value] }));
  return (
    <search className="filters" aria-label={words.title}>
      <Select
        label={words.genre}
        value={filter.genre ?? ""}
        onChange={(genre) => change({ genre: genre || undefined })}
        options={[{ value: "", label: strings.search.allGenres }, ...known]}
      />
      <Select<"" | "film" | "series">
        label={words.kind}
        value={filter.kind === "episode" ? "" : (filter.kind ?? "")}
        onChange={(kind) => change({ kind: kind || undefined })}
        options={[
          { value: "", label: strings.search.allKinds },
          { value: "film", label: strings.title.kindsMany.film },
          { value: "series", label: strings.title.kindsMany.series },
        ]}
      />
      <Select
        label={words.years}
        value={years}
        onChange={setYears}
        options={[{ value: "", label: words.anyYear }, ...decades(new Date().getFullYear())]}
      />
      <Select
        label={words.sort}
        value={filter.sort ?? "popularity"}
        onChange={(sort) => change({ sort: sort === "popularity" ? undefined : sort })}
        options={sorts}
      />
    </search>
  );
}
