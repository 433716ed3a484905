/** Press play: a playback session for this title, and the player over the whole window. */
import "@/styles/player.css";
import "@/styles/player-lines.css";
import "@/styles/player-menus.css";
import "@/styles/title.css";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { startPlayback } from "@/api/endpoints";
import { titleQuery } from "@/api/queries";
import { useMe, useSeated } from "@/app/session";
import { usePageTitle } from "@/components/page-title";
import { fullName } from "@/lib/format";
import { loadHls } from "@/player/engine";
import { TroubleView } from "@/player/overlays";
import { Player } from "@/player/player";
import { Loading } from "@/player/stage";
import { playerEn as words } from "@/strings/player-en";

// The library and the session are fetched side by side: whichever comes last, nothing waits for it twice.
void loadHls();

export function WatchPage() {
  const { id } = useParams({ from: "/watch/$id" });
  // What fills the screen outlives the showing: the next episode goes on there.
  return (
    <main id="content" tabIndex={-1}>
      <Showing key={id} id={id} />
    </main>
  );
}

function Showing({ id }: { id: string }) {
  const [{ attempt, pressedAt }, setShowing] = useState(() => ({ attempt: 0, pressedAt: performance.now() }));
  // A film counts for whoever watches it: nothing begins before that is known.
  const seated = useSeated();
  const me = useMe();
  const playback = useQuery({
    queryKey: ["playback", id, attempt],
    queryFn: ({ signal }) => startPlayback(id, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    enabled: seated,
  });
  // Of a series an episode plays, and that is what is named.
  const title = useQuery({ ...titleQuery(playback.data?.title_id ?? id), enabled: seated });
  const refused = playback.error ?? (seated ? null : me.error);
  usePageTitle(title.data && fullName(title.data));
  return (
    <>
      {playback.data ? (
        <Player
          key={playback.data.session_id}
          playback={playback.data}
          title={title.data}
          titleId={id}
          pressedAt={pressedAt}
          onRenew={() => setShowing({ attempt: attempt + 1, pressedAt: performance.now() })}
        />
      ) : (
        <div className="player">
          <h1 className="visually-hidden">{title.data?.name ?? words.label}</h1>
          {refused ? (
            <TroubleView error={refused} titleId={id} onRetry={() => (seated ? playback.refetch() : me.refetch())} />
          ) : (
            <div className="player__middle">
              <Loading begun={false} />
            </div>
          )}
        </div>
      )}
    </>
  );
}
