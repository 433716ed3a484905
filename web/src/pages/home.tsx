/** The home page: a hero and the rows that this profile gets, in the order the server gives them. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { homeQuery } from "@/api/queries";
import { useActiveProfile } from "@/app/session";
import { Hero } from "@/components/hero";
import { Mark } from "@/components/mark";
import { usePageTitle } from "@/components/page-title";
import { Row } from "@/components/row";
import { HomeSkeleton } from "@/components/skeletons";
import { EmptyState, ErrorState } from "@/components/states";
import { useReturned } from "@/lib/navigation";
import { strings } from "@/strings";

export function HomePage() {
  const home = useQuery(homeQuery);
  const returned = useReturned();
  usePageTitle(strings.app.name);
  const words = strings.home;
  const rows = home.data?.rows.filter((row) => row.items.length > 0) ?? [];
  const hero = home.data?.hero;
  return (
    <main
      id="content"
      tabIndex={-1}
      className={hero || home.isPending ? "home" : "home home--bare"}
      aria-busy={home.isPending}
    >
      <h1 className="visually-hidden">{words.title}</h1>
      {home.isPending && <HomeSkeleton />}
      {home.isError && !home.data && <ErrorState error={home.error} retry={() => home.refetch()} />}
      {hero && <Hero hero={hero} />}
      {rows.length > 0 && (
        <div className="rows">
          <Invite ratingsWanted={home.data?.ratings_wanted ?? 0} />
          {rows.map((row, index) => (
            <Row key={row.id} row={row} eager={index < 2} returned={returned} />
          ))}
        </div>
      )}
      {home.data && rows.length === 0 && !hero && (
        <EmptyState title={words.empty} lead={words.emptyLead}>
          <Link to="/welcome" className="button button--primary">
            {words.emptyCta}
          </Link>
          <Link to="/browse" className="button">
            {words.emptyBrowse}
          </Link>
        </EmptyState>
      )}
    </main>
  );
}

/** Shown until the profile has said what it loves, here or by its ratings. */
function Invite({ ratingsWanted }: { ratingsWanted: number }) {
  const profile = useActiveProfile();
  if (!profile || profile.onboarded || profile.kids || ratingsWanted === 0) return null;
  return (
    <aside className="invite" aria-label={strings.onboarding.title}>
      <Mark />
      <p>{strings.home.invite}</p>
      <Link to="/welcome" className="button button--primary">
        {strings.home.emptyCta}
      </Link>
    </aside>
  );
}
