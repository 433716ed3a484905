/** Seasons and their episodes with the viewer's progress. */
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { Episode, Title } from "@/api/types";
import { Select } from "@/components/field";
import { Icon } from "@/components/icons";
import { duration, percent, timeLeft } from "@/lib/format";
import { strings } from "@/strings";

const words = strings.title;

export function Episodes({ title }: { title: Title }) {
  const [number, setNumber] = useState(() => currentSeason(title));
  const season = title.seasons.find((entry) => entry.number === number) ?? title.seasons[0];
  if (!season) return null;
  const name = (entry: { number: number }) => words.season(entry.number);
  return (
    <section aria-labelledby="episodes">
      <div className="episodes__head">
        <h2 id="episodes">{words.episodes}</h2>
        {title.seasons.length > 1 && (
          <Select
            label={words.seasonLabel}
            hideLabel
            value={String(season.number)}
            onChange={(value) => setNumber(Number(value))}
            options={title.seasons.map((entry) => ({ value: String(entry.number), label: name(entry) }))}
          />
        )}
      </div>
      <ol className="episodes">
        {season.episodes.map((episode) => (
          <li key={episode.title.id}>
            <EpisodeLine episode={episode} />
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The season of the last episode that was begun. */
function currentSeason(title: Title): number {
  const begun = title.seasons.findLast((season) => season.episodes.some((episode) => episode.title.progress));
  return (begun ?? title.seasons[0])?.number ?? 1;
}

function EpisodeLine({ episode }: { episode: Episode }) {
  const { progress, name, duration_s, playable } = episode.title;
  return (
    <MaybeLink episode={episode}>
      <span className="episode__number" aria-hidden="true">
        {episode.number}
      </span>
      <span>
        <span className="episode__name">{name}</span>
        {episode.description && <span className="episode__text muted small">{episode.description}</span>}
        {progress && (
          <span className="bar" style={{ display: "block" }} aria-hidden="true">
            <span style={{ inlineSize: percent(progress.finished ? 1 : progress.fraction) }} />
          </span>
        )}
      </span>
      <span className="episode__end muted small">
        {progress && !progress.finished
          ? strings.home.timeLeft(timeLeft(progress))
          : duration_s
            ? duration(duration_s)
            : null}
        {playable && <Icon name="play" />}
      </span>
    </MaybeLink>
  );
}

function MaybeLink({ episode, children }: { episode: Episode; children: ReactNode }) {
  if (!episode.title.playable) return <div className="episode">{children}</div>;
  return (
    <Link to="/watch/$id" params={{ id: episode.title.id }} className="episode">
      {children}
    </Link>
  );
}
