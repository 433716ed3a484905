/** Everyone with an account, and what each may do. */
import {
  infiniteQueryOptions,
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { changeRole, users } from "@/api/admin-endpoints";
import type { Account, Role } from "@/api/types";
import { useMe } from "@/app/session";
import { More } from "@/components/card-grid";
import { Field } from "@/components/field";
import { ListSkeleton } from "@/components/skeletons";
import { EmptyState, ErrorState } from "@/components/states";
import { showToast } from "@/components/toast";
import { date } from "@/lib/format";
import { flatPages } from "@/lib/paging";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";

const words = adminEn.users;

const usersQuery = (q: string) =>
  infiniteQueryOptions({
    queryKey: ["users", q],
    queryFn: ({ pageParam, signal }) => users({ q: q || undefined, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
  });

export function Section() {
  const [typed, setTyped] = useState("");
  const list = useInfiniteQuery(usersQuery(useDeferredValue(typed.trim())));
  const rows = flatPages(list.data, (user) => user.id);
  return (
    <section>
      <div className="toolbar">
        <Field
          label={words.filter}
          type="search"
          value={typed}
          placeholder={words.filterPlaceholder}
          onChange={(event) => setTyped(event.target.value)}
        />
      </div>
      {list.isPending && <ListSkeleton />}
      {list.isError && <ErrorState error={list.error} retry={() => list.refetch()} />}
      {list.data && rows.length === 0 && <EmptyState title={words.none} lead="" />}
      {rows.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls sideways must be reachable by keyboard.
        <div className="table-box" tabIndex={0} role="region" aria-label={words.title}>
          <table className="table">
            <thead>
              <tr>
                <th scope="col">{words.columns.name}</th>
                <th scope="col">{words.columns.email}</th>
                <th scope="col">{words.columns.since}</th>
                <th scope="col">{words.columns.role}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((user) => (
                <UserRow key={user.id} user={user} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More hasMore={list.hasNextPage} loading={list.isFetchingNextPage} onMore={list.fetchNextPage}>
        {words.more}
      </More>
    </section>
  );
}

function UserRow({ user }: { user: Account }) {
  const client = useQueryClient();
  const { data: me } = useMe();
  const own = me?.account.id === user.id;
  const change = useMutation({
    mutationFn: (role: Role) => changeRole(user.id, role),
    onSuccess: (_answer, role) => showToast(words.changed(user.name, words.roles[role] ?? role)),
    onError: (error) => showToast(error.message || strings.card.failed),
    onSettled: () => client.invalidateQueries({ queryKey: ["users"] }),
  });
  const shown = change.isPending ? change.variables : user.role;
  return (
    <tr>
      <td>
        {user.name} {own && <span className="muted">({words.you})</span>}
      </td>
      <td>{user.email}</td>
      <td>{date(user.created_at)}</td>
      <td>
        <select
          className="input"
          aria-label={words.roleOf(user.name)}
          value={shown}
          disabled={own || change.isPending}
          onChange={(event) => change.mutate(event.target.value as Role)}
        >
          {Object.entries(words.roles).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </td>
    </tr>
  );
}
