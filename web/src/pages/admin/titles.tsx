/** All titles in a table that sorts and filters; from here they are made, changed, given a video, and deleted. */
import {
  infiniteQueryOptions,
  keepPreviousData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";
import { type AdminTitlesQuery, adminTitles, deleteTitle } from "@/api/admin-endpoints";
import { sendVideo } from "@/api/transfers";
import type { AdminTitle, TitleKind } from "@/api/types";
import { Artwork } from "@/components/artwork";
import { More } from "@/components/card-grid";
import { Confirm } from "@/components/dialog";
import { Field, Select } from "@/components/field";
import { Icon } from "@/components/icons";
import { ListSkeleton } from "@/components/skeletons";
import { EmptyState, ErrorState } from "@/components/states";
import { showToast } from "@/components/toast";
import { genreList, number, stars } from "@/lib/format";
import { flatPages } from "@/lib/paging";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";
import { DropDialog, useDrop } from "./drop-videos";
import { TitleDialog } from "./title-dialog";
import { Transfers } from "./transfers";
import { UploadDialog } from "./upload-dialog";

const words = adminEn.titles;

/** Columns that the server sorts by, each in its one order: names from A, figures from the greatest. */
const COLUMNS = [
  { key: "name", label: words.columns.name, order: "ascending" },
  { key: "year", label: words.columns.year, order: "descending" },
  { key: "rating", label: words.columns.rating, order: "descending" },
  { key: "popularity", label: words.columns.popularity, order: "descending" },
] as const;
/** Episodes stand under their series, not in the table. */
const KINDS: TitleKind[] = ["film", "series"];
type Sort = (typeof COLUMNS)[number]["key"];

const titlesQuery = (query: AdminTitlesQuery) =>
  infiniteQueryOptions({
    queryKey: ["admin-titles", query],
    queryFn: ({ pageParam, signal }) => adminTitles({ ...query, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });

type Dialogs =
  | { edit: { id: string } }
  | { create: true }
  | { remove: AdminTitle }
  | { upload: { id: string; name: string } }
  | { dropped: File[] };

export function Section() {
  const search = useSearch({ from: "/house/admin/titles" });
  const navigate = useNavigate();
  const [q, setQ] = useState(search.q ?? "");
  const [sort, setSort] = useState<Sort>("name");
  const [kind, setKind] = useState<TitleKind | "">("");
  const [video, setVideo] = useState<"" | "yes">("");
  const [dialog, setDialog] = useState<Dialogs | undefined>(
    search.upload
      ? { upload: { id: search.upload, name: search.q ?? "" } }
      : search.edit
        ? { edit: { id: search.edit } }
        : undefined,
  );
  useEffect(() => {
    const timer = setTimeout(
      () => void navigate({ to: "/admin/titles", search: { q: q || undefined }, replace: true }),
      200,
    );
    return () => clearTimeout(timer);
  }, [q, navigate]);
  const list = useInfiniteQuery(
    titlesQuery({ q: search.q, sort, kind: kind || undefined, playable: video === "yes" || undefined }),
  );
  const rows = flatPages(list.data, (title) => title.id);
  const client = useQueryClient();
  const drop = useCallback(
    (files: File[], titleId?: string) => {
      const title = titleId && files.length === 1 && known(client, titleId);
      const [file] = files;
      if (title && file) sendVideo(file, title);
      else setDialog({ dropped: files });
    },
    [client],
  );
  const over = useDrop(drop);
  return (
    <section data-drop={over}>
      <Transfers />
      <Toolbar q={q} onQ={setQ} kind={kind} onKind={setKind} video={video} onVideo={setVideo} onDialog={setDialog} />
      {list.isError && <ErrorState error={list.error} retry={() => list.refetch()} />}
      {list.isPending && <ListSkeleton />}
      {list.data && rows.length === 0 && <EmptyState title={q ? words.none : words.empty} lead={words.emptyLead} />}
      {rows.length > 0 && <TitleTable rows={rows} sort={sort} onSort={setSort} onDialog={setDialog} />}
      <More hasMore={list.hasNextPage} loading={list.isFetchingNextPage} onMore={list.fetchNextPage}>
        {words.more}
      </More>
      {dialog && <OpenDialog dialog={dialog} onClose={() => setDialog(undefined)} />}
    </section>
  );
}

/** What narrows the list, and what begins something. */
function Toolbar({
  q,
  onQ,
  kind,
  onKind,
  video,
  onVideo,
  onDialog,
}: {
  q: string;
  onQ: (q: string) => void;
  kind: TitleKind | "";
  onKind: (kind: TitleKind | "") => void;
  video: "" | "yes";
  onVideo: (video: "" | "yes") => void;
  onDialog: (dialog: Dialogs) => void;
}) {
  return (
    <div className="toolbar">
      <Field
        label={words.filter}
        type="search"
        value={q}
        placeholder={words.filterPlaceholder}
        onChange={(event) => onQ(event.target.value)}
      />
      <Select
        label={words.kindFilter}
        value={kind}
        onChange={onKind}
        options={[
          { value: "", label: words.allKinds },
          ...KINDS.map((value) => ({ value, label: strings.title.kindsMany[value] })),
        ]}
      />
      <Select
        label={words.videoFilter}
        value={video}
        onChange={onVideo}
        options={[
          { value: "", label: words.allVideos },
          { value: "yes", label: words.hasVideo },
        ]}
      />
      <button type="button" className="button button--primary" onClick={() => onDialog({ create: true })}>
        <Icon name="plus" />
        {words.create}
      </button>
      <button type="button" className="button" onClick={() => onDialog({ dropped: [] })}>
        <Icon name="upload" />
        {words.uploadMany}
      </button>
    </div>
  );
}

/** A title of the lists that were read, which may have a video. */
function known(client: QueryClient, id: string): AdminTitle | undefined {
  const lists = client.getQueriesData<{ pages?: { items: AdminTitle[] }[] }>({ queryKey: ["admin-titles"] });
  const titles = lists.flatMap(([, list]) => list?.pages?.flatMap(({ items }) => items) ?? []);
  return titles.find((title) => title.id === id && title.kind !== "series");
}

interface TableProps {
  rows: AdminTitle[];
  sort: Sort;
  onSort: (sort: Sort) => void;
  onDialog: (dialog: Dialogs) => void;
}

function TitleTable({ rows, sort, onSort, onDialog }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways must be reachable by keyboard.
    <div className="table-box" tabIndex={0} role="region" aria-label={words.title}>
      <table className="table">
        <thead>
          <tr>
            {COLUMNS.map(({ key, label, order }) => (
              <th
                key={key}
                scope="col"
                className={key === "name" ? undefined : "number"}
                aria-sort={sort === key ? order : undefined}
              >
                <button type="button" className="sort" title={words.sortBy(label)} onClick={() => onSort(key)}>
                  {label}
                </button>
              </th>
            ))}
            <th scope="col">{words.columns.video}</th>
            <th scope="col">
              <span className="visually-hidden">{words.columns.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((title) => (
            <TitleRow key={title.id} title={title} onDialog={onDialog} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function TitleRow({ title, onDialog }: { title: AdminTitle; onDialog: (dialog: Dialogs) => void }) {
  return (
    <tr data-title-id={title.id}>
      <td className="wide">
        <span className="table__title">
          <Artwork src={title.poster_url} />
          <span>
            <Link to="/title/$id" params={{ id: title.id }} className="entry__name">
              {title.name}
            </Link>
            {!title.published && <span className="pill">{words.hidden}</span>}
            <span>
              {[strings.title.kinds[title.kind] ?? title.kind, genreList(title.genres)].filter(Boolean).join(" · ")}
            </span>
          </span>
        </span>
      </td>
      <td className="number">{title.year}</td>
      <td className="number">{title.average_rating == null ? "" : stars(title.average_rating)}</td>
      <td className="number">{number(title.ratings_count)}</td>
      <td>
        {title.playable ? (
          <span className="pill pill--done">{words.hasVideo}</span>
        ) : (
          <span className="pill">{words.noVideo}</span>
        )}
      </td>
      <td>
        <span className="table__actions">
          <RowButton
            icon="upload"
            label={words.upload(title.name)}
            title={words.uploadShort}
            onClick={() => onDialog({ upload: title })}
          />
          <RowButton
            icon="pencil"
            label={words.edit(title.name)}
            title={words.editShort}
            onClick={() => onDialog({ edit: title })}
          />
          <RowButton
            icon="bin"
            label={words.remove(title.name)}
            title={words.removeShort}
            onClick={() => onDialog({ remove: title })}
          />
        </span>
      </td>
    </tr>
  );
}

function RowButton({
  icon,
  label,
  title,
  onClick,
}: {
  icon: "upload" | "pencil" | "bin";
  label: string;
  title: string;
  onClick: () => void;
}) {
  return (
    <button type="button" className="icon-button" aria-label={label} title={title} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

function OpenDialog({ dialog, onClose }: { dialog: Dialogs; onClose: () => void }) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: (title: AdminTitle) => deleteTitle(title.id),
    onSuccess: (_answer, title) => showToast(words.deleted(title.name)),
    onError: () => showToast(strings.card.failed),
    onSettled: () => client.invalidateQueries({ queryKey: ["admin-titles"] }),
  });
  if ("upload" in dialog) return <UploadDialog title={dialog.upload} onClose={onClose} />;
  if ("dropped" in dialog) return <DropDialog files={dialog.dropped} onClose={onClose} />;
  if ("remove" in dialog) {
    return (
      <Confirm
        question={words.removeSure(dialog.remove.name)}
        confirm={words.remove(dialog.remove.name)}
        onConfirm={() => remove.mutate(dialog.remove)}
        onClose={onClose}
      />
    );
  }
  return <TitleDialog title={"edit" in dialog ? dialog.edit : undefined} onClose={onClose} />;
}
