/** Search as you type, narrowed by facets; without words, where to begin. */
import "@/styles/lists.css";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import type { SearchQuery } from "@/api/endpoints";
import { genresQuery, searchQuery } from "@/api/queries";
import type { FacetCount, SearchAnswer } from "@/api/types";
import { CardGrid } from "@/components/card-grid";
import { Icon } from "@/components/icons";
import { usePageTitle } from "@/components/page-title";
import { GridSkeleton } from "@/components/skeletons";
import { EmptyState, ErrorState } from "@/components/states";
import { compactNumber, number } from "@/lib/format";
import { toneOf } from "@/lib/tones";
import { strings } from "@/strings";

const words = strings.search;
const TYPING_PAUSE_MS = 120;
const GENRE_FACETS_MAX = 12;

type Narrowing = Pick<SearchQuery, "q" | "genre" | "kind">;

export function SearchPage() {
  usePageTitle(words.title);
  const search = useSearch({ from: "/house/search" });
  const navigate = useNavigate();
  const router = useRouter();
  const q = (search.q ?? "").trim();
  const found = useQuery({ ...searchQuery({ ...search, q }) });
  const narrow = (change: Narrowing) => {
    // A title may have been opened while the fingers rested: then the search is over.
    if (router.latestLocation.pathname !== "/search") return;
    void navigate({ to: "/search", search: { ...search, ...change }, replace: true });
  };
  return (
    <main id="content" tabIndex={-1} className="page">
      <h1 className="visually-hidden">{words.title}</h1>
      <SearchBox
        value={search.q ?? ""}
        onChange={(text) => narrow({ q: text || undefined, genre: undefined, kind: undefined })}
      />
      {found.isError && <ErrorState error={found.error} retry={() => found.refetch()} />}
      {found.isPending && <GridSkeleton />}
      {found.data &&
        (q ? <Results q={q} answer={found.data} search={search} narrow={narrow} /> : <Beginning answer={found.data} />)}
    </main>
  );
}

/** Keeps what is typed at once, and asks the server when the fingers rest. */
function SearchBox({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const [text, setText] = useState(value);
  const type = (next: string) => {
    setText(next);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next), TYPING_PAUSE_MS);
  };
  // The address changed by another way than these keys: a link, or going back.
  useEffect(() => {
    if (document.activeElement !== input.current) setText(value);
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => input.current?.focus(), []);
  return (
    <search className="searchbox">
      <Icon name="search" />
      <input
        ref={input}
        type="search"
        className="input"
        value={text}
        placeholder={words.placeholder}
        aria-label={words.label}
        autoComplete="off"
        spellCheck={false}
        maxLength={120}
        enterKeyHint="search"
        onChange={(event) => type(event.target.value)}
      />
      {text && (
        <button
          type="button"
          className="icon-button"
          aria-label={words.clear}
          onClick={() => {
            type("");
            input.current?.focus();
          }}
        >
          <Icon name="close" />
        </button>
      )}
    </search>
  );
}

interface ResultsProps {
  q: string;
  answer: SearchAnswer;
  search: Narrowing;
  narrow: (change: Narrowing) => void;
}

function Results({ q, answer, search, narrow }: ResultsProps) {
  const count = answer.items.length;
  const total = totalOf(answer, search.kind);
  const found = total > count ? words.first(number(count), number(total)) : words.results(number(count), count === 1);
  return (
    <>
      <Facets answer={answer} search={search} narrow={narrow} />
      <p className="count" role="status">
        {count > 0 ? found : words.none(q)}
      </p>
      {count > 0 ? (
        <CardGrid cards={answer.items} label={words.title} />
      ) : (
        <EmptyState title={words.none(q)} lead={words.noneLead} />
      )}
    </>
  );
}

/** How many there are, not how many are shown: each title is of one kind, and kinds are counted over all of them. */
export function totalOf({ items, facets }: Pick<SearchAnswer, "items" | "facets">, kind?: string): number {
  const counted = facets.kinds.filter(({ value }) => kind === undefined || value === kind);
  return Math.max(
    items.length,
    counted.reduce((sum, { count }) => sum + count, 0),
  );
}

function Facets({ answer, search, narrow }: Omit<ResultsProps, "q">) {
  const genres = answer.facets.genres;
  const kinds = answer.facets.kinds;
  if (genres.length === 0 && kinds.length === 0 && !search.genre && !search.kind) return null;
  const name = (kind: string) => (strings.title.kindsMany as Record<string, string>)[kind] ?? kind;
  return (
    <div className="facets">
      {(kinds.length > 1 || search.kind) && (
        <FacetLine
          label={words.facetKind}
          all={words.allKinds}
          values={kinds}
          chosen={search.kind}
          nameOf={name}
          onChoose={(kind) => narrow({ kind: kind as Narrowing["kind"] })}
        />
      )}
      <FacetLine
        label={words.facetGenre}
        all={words.allGenres}
        values={genres.slice(0, GENRE_FACETS_MAX)}
        chosen={search.genre}
        onChoose={(genre) => narrow({ genre })}
      />
    </div>
  );
}

interface FacetLineProps {
  label: string;
  all: string;
  values: FacetCount[];
  chosen: string | undefined;
  nameOf?: (value: string) => string;
  onChoose: (value: string | undefined) => void;
}

function FacetLine({ label, all, values, chosen, nameOf = (value) => value, onChoose }: FacetLineProps) {
  return (
    <fieldset className="facets__line">
      <legend className="visually-hidden">{label}</legend>
      <button type="button" className="chip" aria-pressed={!chosen} onClick={() => onChoose(undefined)}>
        {all}
      </button>
      {values.map(({ value, count }) => (
        <button
          key={value}
          type="button"
          className="chip"
          aria-pressed={chosen === value}
          onClick={() => onChoose(chosen === value ? undefined : value)}
        >
          {nameOf(value)} <small>{compactNumber(count)}</small>
        </button>
      ))}
    </fieldset>
  );
}

/** Before the first letter: what this viewer would look for, and the genres. */
function Beginning({ answer }: { answer: SearchAnswer }) {
  const genres = useQuery(genresQuery);
  return (
    <>
      {answer.items.length > 0 && (
        <section className="section" aria-labelledby="suggested">
          <h2 id="suggested">{words.suggested}</h2>
          <CardGrid cards={answer.items.slice(0, 12)} label={words.suggested} />
        </section>
      )}
      {genres.data && (
        <section className="section" aria-labelledby="by-genre">
          <h2 id="by-genre">{words.emptyGenres}</h2>
          <ul className="genre-tiles">
            {genres.data.items.map((genre) => (
              <li key={genre.name}>
                <Link
                  to="/browse"
                  search={{ genre: genre.name }}
                  className="genre-tile"
                  style={{ "--tone": toneOf(genre.name) } as React.CSSProperties}
                >
                  <span>
                    {genre.name}
                    <small>{words.results(number(genre.count), genre.count === 1)}</small>
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
