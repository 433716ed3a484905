/** Everything that a showing is made of, and what may be done with it. */
import { useCanGoBack, useNavigate, useRouter } from "@tanstack/react-router";
import { type RefObject, useCallback, useMemo, useRef, useState } from "react";
import type { Playback, Subtitles, Title } from "@/api/types";
import { playerEn as words } from "@/strings/player-en";
import { makeActions, type Wish } from "./actions";
import { partsOf } from "./chapters";
import type { PanelName } from "./controls";
import type { Engine } from "./engine";
import { chooseSubtitles, forcedSubtitles, subtitlesLabel, subtitlesToSwitchOn } from "./languages";
import { useMediaSession } from "./media-session";
import { inCredits, useCountdown } from "./next";
import { useFlash } from "./overlays";
import { preferences, usePreferences, type Wanted } from "./preferences";
import { useEngine } from "./use-engine";
import { useBarHeight, useIdle } from "./use-idle";
import { useKeys } from "./use-keys";
import { usePositions, useQuality } from "./use-reports";
import { useSubtitles } from "./use-subtitles";
import { type Together, useFollow } from "./use-together";
import { useVideo, type VideoState } from "./use-video";
import { useWakeLock } from "./wake-lock";

export interface PlayerProps {
  playback: Playback;
  title: Title | undefined;
  titleId: string;
  /** When Play was pressed, by the page's clock. */
  pressedAt: number;
  /** Asks for a new session, from where the viewer is. */
  onRenew: () => void;
  together: Together;
}

export type Showing = ReturnType<typeof useShowing>;

export function useShowing({ playback, title, titleId, pressedAt, together }: PlayerProps) {
  const frame = useRef<HTMLDivElement>(null);
  const element = useRef<HTMLVideoElement>(null);
  const bar = useRef<HTMLDivElement>(null);
  const meter = useQuality(element, playback.session_id, pressedAt);
  const { engine, state, current, renew } = useEngine(element, playback, {
    switched: () => meter.switched(),
    failed: (trouble) => meter.failed(trouble),
  });
  const video = useVideo(element, playback.duration_s);
  const [flash, setFlash] = useFlash();
  const menus = useMenus();
  const steer = useFollow(together, element, setFlash);
  const actions = usePlayerActions(element, frame, video, engine, setFlash, steer);
  const subtitles = useChosenSubtitles(current.subtitles, state.audio[state.playingAudio]?.language);
  // With a new showing the place of the first one is gone, if places are few: the film goes along.
  const cues = useSubtitles(element, subtitles.shown, async () => engine?.moveTo(await renew()));
  const parts = useMemo(() => partsOf(playback.chapters), [playback.chapters]);
  // Nobody is taken away from a party by a count.
  const next = useNext(playback, video, menus.open || together.partyId !== undefined);
  const leave = useLeavePlayer();
  const idle = useIdle(frame, !video.paused && !menus.open && !video.ended);
  useBarHeight(frame, bar);
  usePositions(element, current.session_id, titleId);
  useMediaSession({ title, video, actions, onNext: next.go });
  useWakeLock(!video.paused);
  useKeys(actions, element, {
    help: () => menus.setHelp(true),
    leave: () => (menus.panel ? menus.setPanel(undefined) : leave()),
    subtitles: () => {
      const chosen = subtitles.toggle();
      setFlash(chosen ? words.subtitlesOn(subtitlesLabel(chosen)) : words.subtitlesOff);
    },
    busy: menus.help,
  });
  return {
    frame,
    element,
    bar,
    meter,
    engine,
    state,
    current,
    video,
    flash,
    menus,
    actions,
    subtitles,
    cues,
    parts,
    next,
    leave,
    idle,
    alone: together.partyId === undefined,
  };
}

function useMenus() {
  const [panel, setPanel] = useState<PanelName>();
  const [help, setHelp] = useState(false);
  const [statistics, setStatistics] = useState(false);
  return { panel, setPanel, help, setHelp, statistics, setStatistics, open: panel !== undefined || help };
}

function usePlayerActions(
  element: RefObject<HTMLVideoElement | null>,
  frame: RefObject<HTMLDivElement | null>,
  video: VideoState,
  engine: Engine | undefined,
  flash: (text: string) => void,
  steer: (wish: Wish) => boolean,
) {
  const known = useRef({ duration: 0, engine, steer });
  known.current = { duration: video.duration, engine, steer };
  return useMemo(
    () =>
      makeActions({
        steer: (wish) => known.current.steer(wish),
        video: () => element.current,
        frame: () => frame.current?.closest("main") ?? frame.current,
        duration: () => known.current.duration,
        frameRate: () => known.current.engine?.frameRate() ?? 1,
        soonest: (time) => known.current.engine?.soonest(time) ?? time,
        flash,
      }),
    [element, frame, flash],
  );
}

/** What the viewer chose for this film, else what they like; and what is shown where that is nothing. */
function useChosenSubtitles(all: readonly Subtitles[], heard: string | undefined) {
  const liked = usePreferences();
  // A track without a language cannot be remembered, but can be watched. Empty: off.
  const [here, setHere] = useState<string>();
  const chosen = all.find(({ id }) => id === here) ?? (here === "" ? undefined : chooseSubtitles(all, liked.subtitles));
  const choose = (subtitles: Subtitles | undefined) => {
    setHere(subtitles?.id ?? "");
    const wanted: Wanted | undefined = subtitles?.language
      ? { language: subtitles.language, accessible: subtitles.kind === "captions" }
      : undefined;
    preferences.change({ subtitles: wanted, ...(wanted ? { subtitlesLast: wanted } : {}) });
  };
  const toggle = () => {
    const on = chosen ? undefined : subtitlesToSwitchOn(all, liked.subtitlesLast, navigator.languages);
    choose(on);
    return on;
  };
  return { chosen, shown: chosen ?? forcedSubtitles(all, heard), choose, toggle };
}

/** The title that follows: its card, the count, and the ways on. */
function useNext(playback: Playback, video: VideoState, busy: boolean) {
  const { autoplay } = usePreferences();
  const navigate = useNavigate();
  const [cancelled, setCancelled] = useState(false);
  const id = playback.next_title_id ?? undefined;
  const start = useCallback(() => {
    if (id) void navigate({ to: "/watch/$id", params: { id }, replace: true });
  }, [id, navigate]);
  const shown = id && !cancelled && inCredits(playback, video) ? id : undefined;
  const running = (!video.paused || video.ended) && !busy;
  const startsIn = useCountdown(shown !== undefined && autoplay, running, video.duration - video.time);
  return { shown, startsIn, start, cancel: () => setCancelled(true), go: id ? start : undefined };
}

function useLeavePlayer() {
  const router = useRouter();
  const canGoBack = useCanGoBack();
  return () => (canGoBack ? router.history.back() : void router.navigate({ to: "/" }));
}
