/** First visit: pick genres or posters you love, and see the page form. */
import "@/styles/auth.css";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import * as api from "@/api/endpoints";
import { onboardingQuery } from "@/api/queries";
import type { Card, Onboarding } from "@/api/types";
import { useSeated } from "@/app/session";
import { Artwork } from "@/components/artwork";
import { FormError } from "@/components/field";
import { Icon } from "@/components/icons";
import { usePageTitle } from "@/components/page-title";
import { GridSkeleton } from "@/components/skeletons";
import { ErrorState } from "@/components/states";
import { strings } from "@/strings";

const words = strings.onboarding;
const GENRES_MAX = 24;
const PREVIEW_ROWS = 3;
const PREVIEW_CARDS = 9;

export function WelcomePage() {
  usePageTitle(words.title);
  const client = useQueryClient();
  const navigate = useNavigate();
  const seated = useSeated();
  const choices = useQuery({ ...onboardingQuery, enabled: seated });
  const [genres, toggleGenre] = useToggles();
  const [titles, toggleTitle] = useToggles();
  const finish = useMutation({
    mutationFn: () => api.finishOnboarding({ genres: [...genres], title_ids: [...titles] }),
    onSuccess: async () => {
      client.removeQueries({ queryKey: ["home"] });
      await client.invalidateQueries({ queryKey: ["me"] });
      await navigate({ to: "/" });
    },
  });
  const picked = genres.size + titles.size;
  return (
    <main id="content" className="welcome" tabIndex={-1}>
      <header>
        <h1>{words.title}</h1>
        <p className="muted">{words.lead}</p>
      </header>
      {choices.isError && <ErrorState error={choices.error} retry={() => choices.refetch()} />}
      {choices.isPending && <GridSkeleton />}
      {choices.data && (
        <div className="welcome__columns">
          <Choices choices={choices.data} genres={genres} titles={titles} onGenre={toggleGenre} onTitle={toggleTitle} />
          <Forming choices={choices.data} genres={genres} titles={titles} />
        </div>
      )}
      <FormError>{finish.error?.message}</FormError>
      <div className="welcome__bar">
        <Hand cards={choices.data?.titles.filter((card) => titles.has(card.id)) ?? []} />
        <p className="muted" role="status">
          {picked > 0 ? words.picked(picked) : ""}
        </p>
        <Link to="/" className="button button--quiet">
          {words.skip}
        </Link>
        <button
          type="button"
          className="button button--primary"
          disabled={picked === 0 || finish.isPending}
          onClick={() => finish.mutate()}
        >
          {words.done}
        </button>
      </div>
    </main>
  );
}

interface ChoicesProps extends FormingProps {
  onGenre: (genre: string) => void;
  onTitle: (id: string) => void;
}

function Choices({ choices, genres, titles, onGenre, onTitle }: ChoicesProps) {
  return (
    <div className="welcome__choices">
      <section aria-labelledby="pick-genres">
        <h2 id="pick-genres">{words.genres}</h2>
        <div className="chips">
          {choices.genres.slice(0, GENRES_MAX).map((genre) => (
            <button
              key={genre.name}
              type="button"
              className="chip"
              aria-pressed={genres.has(genre.name)}
              onClick={() => onGenre(genre.name)}
            >
              {genre.name}
            </button>
          ))}
        </div>
      </section>
      <section aria-labelledby="pick-titles">
        <h2 id="pick-titles">{words.titles}</h2>
        <div className="picks">
          {choices.titles.map((card) => (
            <Pick key={card.id} card={card} picked={titles.has(card.id)} onToggle={() => onTitle(card.id)} />
          ))}
        </div>
      </section>
    </div>
  );
}

const HAND_MAX = 6;

/** The picked posters as a hand of cards. */
function Hand({ cards }: { cards: Card[] }) {
  const shown = cards.slice(-HAND_MAX);
  return (
    <div className="hand" aria-hidden="true">
      {shown.map((card, at) => (
        <span key={card.id} style={{ rotate: `${(at - (shown.length - 1) / 2) * 9}deg` }}>
          <Artwork src={card.poster_url} />
        </span>
      ))}
    </div>
  );
}

function useToggles(): [ReadonlySet<string>, (value: string) => void] {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (value: string) => {
    const next = new Set(chosen);
    if (!next.delete(value)) next.add(value);
    setChosen(next);
  };
  return [chosen, toggle];
}

function Pick({ card, picked, onToggle }: { card: Card; picked: boolean; onToggle: () => void }) {
  return (
    <button
      type="button"
      className="pick"
      aria-pressed={picked}
      aria-label={card.year ? `${card.name} (${card.year})` : card.name}
      onClick={onToggle}
    >
      <Artwork src={card.poster_url} />
      <span className="pick__heart">
        <Icon name={picked ? "check" : "plus"} />
      </span>
    </button>
  );
}

interface FormingProps {
  choices: Onboarding;
  genres: ReadonlySet<string>;
  titles: ReadonlySet<string>;
}

/** The rows that the choices so far would make, from the posters at hand. */
function Forming({ choices, genres, titles }: FormingProps) {
  const rows = formingRows(choices, genres, titles);
  return (
    <section className="forming" aria-labelledby="forming">
      <h2 id="forming">{words.preview}</h2>
      {rows.length === 0 && <p className="muted">{words.previewEmpty}</p>}
      {rows.map((row) => (
        <div key={row.genre} className="forming__row">
          <h3>{words.previewRow(row.genre)}</h3>
          <div className="forming__cards" aria-hidden="true">
            {row.cards.map((card) => (
              <Artwork key={card.id} src={card.poster_url} />
            ))}
          </div>
        </div>
      ))}
    </section>
  );
}

export function formingRows(choices: Onboarding, genres: ReadonlySet<string>, titles: ReadonlySet<string>) {
  const weights = new Map<string, number>();
  for (const genre of genres) weights.set(genre, 3);
  for (const card of choices.titles) {
    if (!titles.has(card.id)) continue;
    for (const genre of card.genres) weights.set(genre, (weights.get(genre) ?? 0) + 1);
  }
  return [...weights]
    .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
    .map(([genre]) => ({
      genre,
      cards: choices.titles
        .filter((card) => card.genres.includes(genre))
        .sort((a, b) => Number(titles.has(b.id)) - Number(titles.has(a.id)))
        .slice(0, PREVIEW_CARDS),
    }))
    .filter((row) => row.cards.length > 1)
    .slice(0, PREVIEW_ROWS);
}
