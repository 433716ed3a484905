/** Two models' home pages for the same viewer, side by side: what a change of model would change for people. */
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { modelPage } from "@/api/admin-endpoints";
import type { Home, HomeRow, Id, Model } from "@/api/types";
import { useMe } from "@/app/session";
import { Artwork } from "@/components/artwork";
import { Select } from "@/components/field";
import { ListSkeleton } from "@/components/skeletons";
import { ErrorState } from "@/components/states";
import { dateTime, percent } from "@/lib/format";
import { adminEn } from "@/strings/admin-en";

const words = adminEn.models.compare;
/** Titles of a row that are shown: what fits on a screen of the real page. */
const ROW_TITLES = 8;
const NEW_VIEWER = "new";

/** The viewer's own rows are the same with any model. */
const OWN_ROWS = new Set(["continue_watching", "my_list"]);
const rowsOf = (page: Home) => page.rows.filter((row) => !OWN_ROWS.has(row.kind));

/** Titles that a page recommends, in any row, shown here or not. */
function recommended(page: Home): Set<Id> {
  return new Set(rowsOf(page).flatMap((row) => row.items.map(({ title }) => title.id)));
}

/** How much of one page is on the other as well: shared titles of all titles, 0 to 1. */
export function agreement(left: Home, right: Home): number {
  const [a, b] = [recommended(left), recommended(right)];
  const shared = [...a].filter((id) => b.has(id)).length;
  const all = a.size + b.size - shared;
  return all === 0 ? 1 : shared / all;
}

export function ComparePages({ models: all }: { models: Model[] }) {
  const [open, setOpen] = useState(false);
  return (
    <div className="plot">
      <div className="plot__head">
        <h3>{words.title}</h3>
        <button type="button" className="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? words.close : words.open}
        </button>
      </div>
      <p className="muted">{words.lead}</p>
      {open && <Comparison models={all} />}
    </div>
  );
}

function Comparison({ models: all }: { models: Model[] }) {
  const me = useMe();
  const serving = all.find((model) => model.state === "active") ?? all[0];
  const [viewer, setViewer] = useState<string>();
  const [left, setLeft] = useState(serving?.id ?? "");
  const [right, setRight] = useState(all.find((model) => model.id !== serving?.id)?.id ?? "");
  const profiles = me.data?.profiles ?? [];
  const chosen = viewer ?? profiles[0]?.id ?? NEW_VIEWER;
  const viewers = [
    ...profiles.map(({ id, name }) => ({ value: id, label: name })),
    { value: NEW_VIEWER, label: words.newViewer },
  ];
  const options = all.map((model) => ({
    value: model.id,
    label: `${dateTime(model.created_at)} · ${adminEn.models.states[model.state] ?? model.state}`,
  }));
  const pages = [usePage(left, chosen), usePage(right, chosen)] as const;
  const [first, second] = [pages[0].data, pages[1].data];
  const share = useMemo(() => first && second && agreement(first, second), [first, second]);
  return (
    <>
      <div className="toolbar">
        <Select label={words.viewer} value={chosen} onChange={setViewer} options={viewers} />
        <Select label={words.left} value={left} onChange={setLeft} options={options} />
        <Select label={words.right} value={right} onChange={setRight} options={options} />
      </div>
      <p role="status" className="compare__share">
        {share !== undefined && words.share(percent(share))}
      </p>
      <div className="compare">
        <Side name={words.leftPage} page={pages[0]} other={second} />
        <Side name={words.rightPage} page={pages[1]} other={first} />
      </div>
    </>
  );
}

function usePage(model: Id, viewer: string) {
  const query = viewer === NEW_VIEWER ? { as_new: true } : { profile: viewer };
  return useQuery({
    queryKey: ["models", model, "page", viewer],
    queryFn: ({ signal }) => modelPage(model, query, signal),
    enabled: model !== "",
  });
}

function Side({ name, page, other }: { name: string; page: ReturnType<typeof usePage>; other: Home | undefined }) {
  const elsewhere = useMemo(() => other && recommended(other), [other]);
  return (
    <section aria-label={name}>
      {page.isPending && <ListSkeleton />}
      {page.isError && <ErrorState error={page.error} retry={() => page.refetch()} />}
      <h4>{name}</h4>
      {page.data && rowsOf(page.data).map((row) => <RowOf key={row.id} row={row} elsewhere={elsewhere} />)}
    </section>
  );
}

function RowOf({ row, elsewhere }: { row: HomeRow; elsewhere: Set<Id> | undefined }) {
  return (
    <div className="compare__row">
      <h5>{row.title}</h5>
      <ol className="compare__titles">
        {row.items.slice(0, ROW_TITLES).map(({ title }) => (
          <li key={title.id} className={elsewhere && !elsewhere.has(title.id) ? "compare__only" : undefined}>
            <Artwork src={title.poster_url} />
            <span className="small">{title.name}</span>
            {elsewhere && !elsewhere.has(title.id) && <span className="visually-hidden">{words.onlyHere}</span>}
          </li>
        ))}
      </ol>
    </div>
  );
}
