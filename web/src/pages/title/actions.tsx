/** Play or resume, My List, watched; and for curators the way to a missing video. */
import { Link } from "@tanstack/react-router";
import { useMyList, useWatched } from "@/api/opinions";
import type { Title } from "@/api/types";
import { useMe } from "@/app/session";
import { Icon } from "@/components/icons";
import { percent, timeLeft } from "@/lib/format";
import { strings } from "@/strings";

const words = strings.title;

/** What Play plays: the title itself, or of a series the episode that comes next. */
export function playTarget(title: Title): { id: string; label?: string } | undefined {
  if (title.playable && title.seasons.length === 0) return { id: title.id };
  const episodes = title.seasons.flatMap((season) => season.episodes.map((episode) => ({ season: season.number, episode })));
  const playable = episodes.filter(({ episode }) => episode.playable);
  const begun = playable.findLast(({ episode }) => (episode.progress?.fraction ?? 0) > 0);
  const finished = begun !== undefined && (begun.episode.progress?.fraction ?? 0) >= 0.95;
  const chosen = finished ? (playable[playable.indexOf(begun) + 1] ?? playable[0]) : (begun ?? playable[0]);
  if (!chosen) return title.playable ? { id: title.id } : undefined;
  return { id: chosen.episode.id, label: words.episode(chosen.season, chosen.episode.number) };
}

export function TitleActions({ title }: { title: Title }) {
  const { data: me } = useMe();
  const list = useMyList(title);
  const watched = useWatched(title);
  const target = playTarget(title);
  const listed = title.in_my_list === true;
  const begun = title.progress && title.progress.fraction > 0 && title.progress.fraction < 0.95 ? title.progress : undefined;
  return (
    <>
      {begun && (
        <div className="title__progress">
          <span className="bar" aria-hidden="true">
            <span style={{ inlineSize: percent(begun.fraction) }} />
          </span>
        </div>
      )}
      <div className="title__actions">
        {target ? (
          <Link to="/watch/$id" params={{ id: target.id }} className="button button--primary">
            <Icon name="play" />
            {begun ? `${strings.home.resume}, ${strings.home.timeLeft(timeLeft(begun))}` : strings.home.play}
            {target.label && <span className="visually-hidden">{target.label}</span>}
          </Link>
        ) : (
          <span className="button" aria-disabled="true" title={words.notPlayableHint}>
            {words.notPlayable}
          </span>
        )}
        <button type="button" className="button" aria-pressed={listed} onClick={() => list.mutate(!listed)}>
          <Icon name={listed ? "check" : "plus"} />
          {words.listAdd}
        </button>
        <button type="button" className="button" aria-pressed={title.watched === true} onClick={() => watched.mutate(!title.watched)}>
          <Icon name="eye" />
          {title.watched ? words.unwatched : words.watched}
        </button>
        {!target && me && me.account.role !== "viewer" && (
          <Link to="/admin/titles" search={{ q: title.name, upload: title.id }} className="button">
            <Icon name="upload" />
            {words.upload}
          </Link>
        )}
      </div>
    </>
  );
}
