/** Play or resume, My List, watched; and for curators the way to a missing video. */
import { Link } from "@tanstack/react-router";
import { useMyList, useWatched } from "@/api/opinions";
import type { Title } from "@/api/types";
import { useMe } from "@/app/session";
import { Icon } from "@/components/icons";
import { savesData } from "@/lib/device";
import { percent, timeLeft } from "@/lib/format";
import { strings } from "@/strings";

const words = strings.title;

/** Whether Play has something to play: the title itself, or of a series any episode; the server knows which comes next. */
export function canPlay(title: Title): boolean {
  return title.playable || title.seasons.some((season) => season.episodes.some((episode) => episode.title.playable));
}

export function TitleActions({ title }: { title: Title }) {
  const { data: me } = useMe();
  const list = useMyList(title);
  const watched = useWatched(title);
  const playable = canPlay(title);
  const finished = title.progress?.finished === true;
  const listed = title.in_my_list;
  const begun = title.progress && title.progress.position_s > 0 && !finished ? title.progress : undefined;
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
        {playable ? (
          <Link
            to="/watch/$id"
            params={{ id: title.id }}
            // Whoever looks at a film is likely to play it: the player is there before they press.
            preload={savesData() ? "intent" : "render"}
            className="button button--primary"
          >
            <Icon name="play" />
            {begun ? `${strings.home.resume}, ${strings.home.timeLeft(timeLeft(begun))}` : strings.home.play}
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
        <button type="button" className="button" aria-pressed={finished} onClick={() => watched.mutate(!finished)}>
          <Icon name="eye" />
          {finished ? words.unwatched : words.watched}
        </button>
        {!playable && me && me.account.role !== "viewer" && (
          <Link to="/admin/titles" search={{ q: title.name, upload: title.id }} className="button">
            <Icon name="upload" />
            {words.upload}
          </Link>
        )}
        {me && me.account.role !== "viewer" && (
          <Link to="/admin/titles" search={{ edit: title.id }} className="button">
            <Icon name="pencil" />
            {words.edit}
          </Link>
        )}
      </div>
    </>
  );
}
