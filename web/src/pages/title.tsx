/** The page of a title: what it is, ways to play and to say what you think, why it is here, and what is like it. */
import "@/styles/title.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Problem } from "@/api/http";
import { similarQuery, titleQuery } from "@/api/queries";
import type { HomeRow, RowItem, Title } from "@/api/types";
import { Artwork, Scene } from "@/components/artwork";
import { Facts } from "@/components/facts";
import { usePageTitle } from "@/components/page-title";
import { ReasonText } from "@/components/reason";
import { Row } from "@/components/row";
import { RowSkeleton } from "@/components/skeletons";
import { EmptyState, ErrorState } from "@/components/states";
import { useReturned } from "@/lib/navigation";
import { strings } from "@/strings";
import { TitleActions } from "./title/actions";
import { Episodes } from "./title/episodes";
import { Opinion, RatingDistribution } from "./title/opinion";
import { People } from "./title/people";

const words = strings.title;

export function TitlePage() {
  const { id } = useParams({ from: "/house/title/$id" });
  const title = useQuery(titleQuery(id));
  usePageTitle(title.data?.name);
  if (title.data) return <TitleView key={id} title={title.data} />;
  if (title.isPending) return <TitleSkeleton />;
  const missing = title.error instanceof Problem && (title.error.status === 404 || title.error.status === 403);
  return (
    <main id="content" tabIndex={-1} className="page">
      {missing ? (
        <EmptyState title={words.missing} lead={words.missingLead} heading="h1">
          <Link to="/" className="button button--primary">
            {strings.states.goHome}
          </Link>
        </EmptyState>
      ) : (
        <ErrorState error={title.error} retry={() => title.refetch()} heading="h1" />
      )}
    </main>
  );
}

function TitleView({ title }: { title: Title }) {
  const because = title.why;
  return (
    <main id="content" tabIndex={-1} className="title">
      <div className="title__head">
        <Scene src={title.backdrop_url} />
        <div className="title__words">
          <div className="title__poster">
            <Artwork src={title.poster_url} eager />
          </div>
          <div className="title__main">
            {title.place && (
              <p className="muted">
                {words.partOf}{" "}
                <Link to="/title/$id" params={{ id: title.place.series_id }} className="link">
                  {title.place.series_name}
                </Link>
                , {words.episode(title.place.season, title.place.episode).toLowerCase()}
              </p>
            )}
            <h1>{title.name}</h1>
            {title.original_name && title.original_name !== title.name && (
              <p className="muted">{title.original_name}</p>
            )}
            <Facts title={title} />
            <TitleActions title={title} />
          </div>
        </div>
      </div>
      <div className="title__body">
        <div className="title__column">
          {title.description && <p className="title__text">{title.description}</p>}
          {because && (
            <section className="why" aria-labelledby="why">
              <h2 id="why">{words.why}</h2>
              <p>
                <ReasonText reason={because} />
              </p>
            </section>
          )}
          {title.seasons.length > 0 && <Episodes title={title} />}
          <Genres genres={title.genres} />
          {title.people.length > 0 && <People people={title.people} />}
        </div>
        <aside className="title__column" aria-label={words.ratings}>
          <div className="panel">
            <Opinion title={title} />
          </div>
          <div className="panel">
            <RatingDistribution title={title} />
          </div>
        </aside>
      </div>
      <Similar title={title} />
    </main>
  );
}

function Genres({ genres }: { genres: string[] }) {
  if (genres.length === 0) return null;
  return (
    <section aria-labelledby="genres">
      <h2 id="genres">{words.genres}</h2>
      <ul className="chips">
        {genres.map((genre) => (
          <li key={genre}>
            <Link to="/browse" search={{ genre }} className="chip">
              {genre}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Similar({ title }: { title: Title }) {
  const similar = useQuery(similarQuery(title.id));
  const returned = useReturned();
  if (similar.isPending) return <RowSkeleton />;
  if (!similar.data || similar.data.length === 0) return null;
  return (
    <div className="rows">
      <Row row={rowOf(title.id, similar.data)} returned={returned} />
    </div>
  );
}

const rowOf = (id: string, items: RowItem[]): HomeRow => ({
  id: `similar-${id}`,
  kind: "top_picks",
  title: words.similar,
  items,
});

function TitleSkeleton() {
  return (
    <main id="content" tabIndex={-1} className="title" aria-busy="true">
      <h1 className="visually-hidden">{strings.app.loading}</h1>
      <div className="title__head" aria-hidden="true">
        <div className="title__words">
          <div className="title__poster">
            <div className="skeleton artwork" />
          </div>
          <div className="title__main">
            <div className="skeleton" style={{ inlineSize: "min(30rem, 80vw)", blockSize: "4.5rem" }} />
            <div className="skeleton" style={{ inlineSize: "16rem", blockSize: "1.4rem" }} />
            <div className="skeleton" style={{ inlineSize: "18rem", blockSize: "3rem" }} />
          </div>
        </div>
      </div>
      <RowSkeleton />
    </main>
  );
}
