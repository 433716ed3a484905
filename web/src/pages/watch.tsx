/** Press play: a playback session for this title, and the player over the whole window. */
import "@/styles/player.css";
import "@/styles/player-lines.css";
import "@/styles/player-menus.css";
import "@/styles/title.css";
import { useQuery } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { party, startPlayback } from "@/api/endpoints";
import { titleQuery } from "@/api/queries";
import { useMe, useSeated } from "@/app/session";
import { usePageTitle } from "@/components/page-title";
import { fullName } from "@/lib/format";
import { loadHls } from "@/player/engine";
import { TroubleView } from "@/player/overlays";
import { Player } from "@/player/player";
import { Loading } from "@/player/stage";
import { useTogether } from "@/player/use-together";
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
  const { party: partyId } = useSearch({ from: "/watch/$id" });
  // Who comes to a party begins where it is; who opens one is there already.
  const [joining] = useState(partyId);
  const joined = useQuery({
    queryKey: ["party", joining],
    queryFn: ({ signal }) => party(joining ?? "", signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    retry: false,
    enabled: seated && joining !== undefined,
  });
  const begins = joining !== undefined ? joined.data?.position_s : undefined;
  const settled = joining === undefined || joined.isSuccess || joined.isError;
  const shown = useMemo(() => {
    if (!playback.data || !settled) return undefined;
    return begins === undefined ? playback.data : { ...playback.data, resume_at_s: begins };
  }, [playback.data, settled, begins]);
  const together = useTogether(partyId, id, shown);
  // Of a series an episode plays, and that is what is named.
  const title = useQuery({ ...titleQuery(playback.data?.title_id ?? id), enabled: seated });
  const refused = playback.error ?? (seated ? null : me.error);
  usePageTitle(title.data && fullName(title.data));
  return (
    <>
      {shown ? (
        <Player
          key={shown.session_id}
          playback={shown}
          together={together}
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
