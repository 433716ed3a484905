/** The player's part in watching together: a small one, for what does the work is loaded when somebody wants it. */
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type RefObject, useCallback, useEffect, useState, useSyncExternalStore } from "react";
import type { Id, Playback } from "@/api/types";
import { playerEn as words } from "@/strings/player-en";
import type { Session } from "@/together/session";
import type { Wish } from "./actions";

export interface Together {
  /** The party that the address names. */
  partyId: string | undefined;
  session: Session | undefined;
  shown: boolean;
  show: (shown: boolean) => void;
  /** Opens a party for what is on, or shows the one that is. */
  open: (video: HTMLVideoElement | null) => Promise<void>;
  leave: () => void;
}

const load = () => import("@/together/session");

/** The party of this showing. It outlives the player, which begins anew when its address has run out. */
export function useTogether(partyId: string | undefined, titleId: Id, playback: Playback | undefined): Together {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [session, setSession] = useState<Session>();
  const [shown, setShown] = useState(true);
  // While the address of a showing is renewed there is none, and the party goes on.
  const [played, setPlayed] = useState<Id>();
  if (playback && playback.title_id !== played) setPlayed(playback.title_id);
  useEffect(() => {
    if (!partyId || !played) return;
    let opened: Session | undefined;
    let stopped = false;
    void load().then(({ Session }) => {
      if (stopped) return;
      opened = new Session(partyId, played);
      setSession(opened);
      setShown(true);
    });
    return () => {
      stopped = true;
      opened?.close();
      setSession(undefined);
    };
  }, [partyId, played]);
  const open = async (video: HTMLVideoElement | null) => {
    if (partyId) return setShown(!shown);
    if (!video || !played) return;
    const { openParty } = await load();
    const course = { playing: !video.paused, position_s: video.currentTime, rate: video.playbackRate };
    const party = await openParty(played, course);
    client.setQueryData(["party", party.id], party);
    await navigate({ to: "/watch/$id", params: { id: played }, search: { party: party.id }, replace: true });
  };
  const leave = useCallback(() => {
    void navigate({ to: "/watch/$id", params: { id: titleId }, replace: true });
  }, [navigate, titleId]);
  return { partyId, session, shown, show: setShown, open, leave };
}

const silent = () => () => undefined;

/** Keeps the element where the party is; what comes back says whether a press is the party's to answer. */
export function useFollow(
  { session }: Together,
  element: RefObject<HTMLVideoElement | null>,
  flash: (text: string) => void,
): (wish: Wish) => boolean {
  const view = useSyncExternalStore(session?.party.subscribe ?? silent, () => session?.party.snapshot());
  const over = session === undefined || session.party.isOver;
  useEffect(() => {
    const video = element.current;
    if (!video || !session || over) return;
    return session.follow(video);
  }, [element, session, over]);
  return (wish) => {
    if (!session || !view || over) return false;
    const done = session.steer(wish);
    if (done === "refused") flash(words.onlyHost);
    return done !== "alone";
  };
}
