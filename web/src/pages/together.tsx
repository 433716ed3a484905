/** Where the link to a party leads: what is on, who is there, and a press to join, which also lets the browser play sound. */
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { party } from "@/api/endpoints";
import { Problem } from "@/api/http";
import { titleQuery } from "@/api/queries";
import type { Party } from "@/api/types";
import { useMe, useSeated } from "@/app/session";
import { usePageTitle } from "@/components/page-title";
import { EmptyState, ErrorState } from "@/components/states";
import { fullName } from "@/lib/format";
import { togetherEn } from "@/strings/together-en";

const words = togetherEn.join;
const LOOK_EVERY_MS = 10_000;

export function TogetherPage() {
  const { id } = useParams({ from: "/together/$id" });
  const seated = useSeated();
  const me = useMe();
  const found = useQuery({
    queryKey: ["invitation", id],
    queryFn: ({ signal }) => party(id, signal),
    refetchInterval: LOOK_EVERY_MS,
    retry: false,
    enabled: seated,
  });
  usePageTitle(words.title);
  const over = found.error instanceof Problem && found.error.status === 404;
  const failed = over ? undefined : (found.error ?? (seated ? null : me.error));
  return (
    <main id="content" tabIndex={-1} className="page">
      <h1 className="page__title">{words.title}</h1>
      {over && (
        <EmptyState title={words.over} lead={words.overLead}>
          <Link to="/" className="button button--primary">
            {words.home}
          </Link>
        </EmptyState>
      )}
      {failed && <ErrorState error={failed} retry={() => (seated ? found.refetch() : me.refetch())} />}
      {found.data && !over && <Invitation party={found.data} />}
    </main>
  );
}

function Invitation({ party }: { party: Party }) {
  const { data: title } = useQuery(titleQuery(party.title_id));
  if (!title) return null;
  const name = fullName(title);
  const full = party.members >= party.members_max;
  return (
    <section>
      <p>{party.host_name ? words.lead(name, party.host_name) : words.leadNobody(name)}</p>
      <p className="muted">{full ? words.full : words.members(party.members, party.members_max)}</p>
      {!full && (
        <p className="state__actions">
          <Link
            to="/watch/$id"
            params={{ id: party.title_id }}
            search={{ party: party.id }}
            className="button button--primary"
          >
            {words.button}
          </Link>
        </p>
      )}
    </section>
  );
}
