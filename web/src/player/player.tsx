/** The player: a picture, its controls, and everything that may happen while it plays. */
import { useQueryClient } from "@tanstack/react-query";
import { Link, useCanGoBack, useRouter } from "@tanstack/react-router";
import { type PointerEvent, useEffect, useEffectEvent, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { startPlayback } from "@/api/endpoints";
import { tasteChanged } from "@/api/opinions";
import type { Playback, Title } from "@/api/types";
import { Icon } from "@/components/icons";
import { Mark } from "@/components/mark";
import { clockTime } from "@/lib/format";
import { strings } from "@/strings";
import { type Actions, makeActions, rememberedVolume, runCommand } from "./actions";
import { Controls } from "./controls";
import { Engine, type EngineState, type Trouble } from "./engine";
import { commandOf } from "./keyboard";
import { Ended, KeyboardHelp, NextCard, TroubleView, useFlash } from "./overlays";
import { PositionReporter } from "./positions";
import { makeTaps } from "./taps";
import { useIdle } from "./use-idle";
import { useVideo, type VideoState } from "./use-video";

const words = strings.player;
const NEXT_CARD_S = 25;
const RESUMED_SHOWN_MS = 8000;

interface PlayerProps {
  playback: Playback;
  title: Title | undefined;
  titleId: string;
  /** Asks for a new session, from where the viewer is. */
  onRenew: () => void;
}

export function Player({ playback, title, titleId, onRenew }: PlayerProps) {
  const frame = useRef<HTMLDivElement>(null);
  const element = useRef<HTMLVideoElement>(null);
  const { engine, state: engineState, session } = useEngine(element, playback);
  const video = useVideo(element, playback.duration_s);
  const [flash, setFlash] = useFlash();
  const [settings, setSettings] = useState(false);
  const [help, setHelp] = useState(false);
  const duration = useRef(0);
  duration.current = video.duration;
  const actions = useMemo(
    () =>
      makeActions({
        video: () => element.current,
        frame: () => frame.current,
        duration: () => duration.current,
        flash: setFlash,
      }),
    [setFlash],
  );
  const idle = useIdle(frame, !video.paused && !settings && !help && !video.ended);
  useReports(element, session, titleId);
  const leave = useLeavePlayer();
  useKeys(actions, element, {
    help: () => setHelp(true),
    leave: () => (settings ? setSettings(false) : leave()),
    busy: help,
  });
  const troubled = engineState.trouble !== undefined;

  return (
    <div ref={frame} className="player" data-idle={idle.idle}>
      <video ref={element} playsInline aria-label={title?.name ?? words.label} tabIndex={-1} />
      <Surface actions={actions} idle={idle} />
      <TopBar title={title} titleId={titleId} onLeave={leave} />
      <Middle video={video} troubled={troubled} onPlay={actions.play} />
      <div role="status" aria-live="polite">
        {flash && <p className="player__flash">{flash}</p>}
      </div>
      {!video.ended && <Resumed at={playback.resume_at_s} onStartOver={() => actions.seekTo(0)} />}
      <Controls
        playback={playback}
        video={video}
        actions={actions}
        engine={engine}
        engineState={engineState}
        settingsOpen={settings}
        onSettings={setSettings}
        onHelp={() => setHelp(true)}
      />
      <Next playback={playback} video={video} />
      <Over
        playback={playback}
        title={title}
        titleId={titleId}
        ended={video.ended}
        trouble={engineState.trouble}
        onAgain={() => {
          actions.seekTo(0);
          actions.play();
        }}
        onRetry={(renew) => (renew ? onRenew() : engine?.retry())}
      />
      {help && <KeyboardHelp onClose={() => setHelp(false)} />}
    </div>
  );
}

interface OverProps {
  playback: Playback;
  title: Title | undefined;
  titleId: string;
  ended: boolean;
  trouble: Trouble | undefined;
  onAgain: () => void;
  onRetry: (renew: boolean) => void;
}

/** What covers the picture: the end of a film that nothing follows, or a trouble. */
function Over({ playback, title, titleId, ended, trouble, onAgain, onRetry }: OverProps) {
  if (trouble) {
    const renew = trouble === "expired" || trouble === "unknown";
    return <TroubleView trouble={trouble} titleId={titleId} onRetry={() => onRetry(renew)} />;
  }
  return ended && !playback.next_title_id && title ? <Ended title={title} onAgain={onAgain} /> : null;
}

function TopBar({ title, titleId, onLeave }: { title: Title | undefined; titleId: string; onLeave: () => void }) {
  return (
    <div className="player__top">
      <button type="button" className="icon-button" aria-label={words.back} onClick={onLeave}>
        <Icon name="back" />
      </button>
      <div style={{ minInlineSize: 0 }}>
        <h1>
          <Link to="/title/$id" params={{ id: titleId }} replace style={{ textDecoration: "none" }}>
            {title?.name ?? words.label}
          </Link>
        </h1>
        {title?.place && (
          <p>{`${title.place.series_name}, ${strings.title.episode(title.place.season, title.place.episode)}`}</p>
        )}
      </div>
    </div>
  );
}

function Middle({ video, troubled, onPlay }: { video: VideoState; troubled: boolean; onPlay: () => void }) {
  const waiting = video.waiting && !troubled;
  const showPlay = video.paused && !video.ended && !video.waiting && !troubled;
  return (
    <div className="player__middle">
      {waiting && <Loading begun={video.started} />}
      {showPlay && (
        <button type="button" className="player__big" aria-label={words.play} onClick={onPlay}>
          <Icon name="play" />
        </button>
      )}
    </div>
  );
}

function Loading({ begun }: { begun: boolean }) {
  return (
    <div className="player__loading" role="status">
      <Mark />
      {!begun && <p>{words.loading}</p>}
      {begun && <span className="visually-hidden">{strings.app.loading}</span>}
    </div>
  );
}

/** The picture as a button for pointers: click plays or pauses, two clicks fill the screen, taps as in `taps.ts`. */
function Surface({ actions, idle }: { actions: Actions; idle: ReturnType<typeof useIdle> }) {
  const tap = useMemo(() => makeTaps({ single: idle.toggle, seekBy: actions.seekBy }), [actions, idle.toggle]);
  const lift = (event: PointerEvent<HTMLElement>) => {
    if (event.pointerType === "mouse") return event.button === 0 ? actions.toggle() : undefined;
    const box = event.currentTarget.getBoundingClientRect();
    tap((event.clientX - box.left) / box.width, event.timeStamp);
  };
  return (
    <div
      className="player__surface"
      aria-hidden="true"
      onPointerUp={lift}
      onDoubleClick={(event) => event.detail === 2 && actions.fullscreen()}
    />
  );
}

function Resumed({ at, onStartOver }: { at: number; onStartOver: () => void }) {
  const [shown, setShown] = useState(at > 5);
  useEffect(() => {
    if (!shown) return;
    const timer = setTimeout(() => setShown(false), RESUMED_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [shown]);
  if (!shown) return null;
  return (
    <div className="player__resumed" role="status">
      <span>{words.resumedAt(clockTime(at))}</span>
      <button
        type="button"
        className="button button--small"
        onClick={() => {
          onStartOver();
          setShown(false);
        }}
      >
        {words.startOver}
      </button>
    </div>
  );
}

function Next({ playback, video }: { playback: Playback; video: VideoState }) {
  const [cancelled, setCancelled] = useState(false);
  const left = video.duration - video.time;
  const credits = playback.credits_at_s ?? video.duration - Math.min(NEXT_CARD_S, video.duration * 0.1);
  const near = video.duration > 0 && video.time >= credits;
  if (!playback.next_title_id || cancelled || !(near || video.ended)) return null;
  return <NextCard id={playback.next_title_id} startsIn={video.ended ? 0 : left} onCancel={() => setCancelled(true)} />;
}

const NOTHING: EngineState = {
  qualities: [],
  chosen: -1,
  playingHeight: undefined,
  subtitles: [],
  chosenSubtitle: -1,
  trouble: undefined,
};
const silent = () => () => undefined;

function useEngine(element: React.RefObject<HTMLVideoElement | null>, playback: Playback) {
  const [engine, setEngine] = useState<Engine>();
  // Another one once the first is not good any more: positions go to the one that plays.
  const [session, setSession] = useState(playback.session_id);
  useEffect(() => {
    const video = element.current;
    if (!video) return;
    const created = new Engine(video, async () => {
      const renewed = await startPlayback(playback.title_id);
      setSession(renewed.session_id);
      return renewed.hls_url;
    });
    setEngine(created);
    video.volume = rememberedVolume();
    void created.open(playback.hls_url, playback.resume_at_s).then(() => video.play().catch(() => undefined));
    return () => created.destroy();
  }, [element, playback]);
  const state = useSyncExternalStore(engine?.subscribe ?? silent, engine?.snapshot ?? (() => NOTHING));
  return { engine, state, session };
}

/** Positions to the server, and a home page that is asked for anew afterwards. */
function useReports(element: React.RefObject<HTMLVideoElement | null>, session: string, titleId: string) {
  const client = useQueryClient();
  useEffect(() => {
    const video = element.current;
    if (!video) return;
    const reporter = new PositionReporter(session);
    const playing = () =>
      !video.paused && !video.seeking && video.readyState >= 2 && reporter.playing(video.currentTime);
    const paused = () => !video.ended && video.readyState >= 1 && reporter.paused(video.currentTime);
    const ended = () => reporter.ended(video.currentTime);
    video.addEventListener("timeupdate", playing);
    video.addEventListener("pause", paused);
    video.addEventListener("ended", ended);
    window.addEventListener("pagehide", paused);
    return () => {
      video.removeEventListener("timeupdate", playing);
      video.removeEventListener("pause", paused);
      video.removeEventListener("ended", ended);
      window.removeEventListener("pagehide", paused);
      reporter.leave(video.currentTime);
      tasteChanged(client, titleId);
      void client.invalidateQueries({ queryKey: ["title"] });
      void client.invalidateQueries({ queryKey: ["history"] });
    };
  }, [element, session, titleId, client]);
}

interface KeyTargets {
  help: () => void;
  leave: () => void;
  busy: boolean;
}

function useKeys(
  actions: Actions,
  element: React.RefObject<HTMLVideoElement | null>,
  { help, leave, busy }: KeyTargets,
) {
  // The player renders several times a second; the page listens once, so that no key falls between two listeners.
  const handle = useEffectEvent((event: KeyboardEvent) => {
    if (busy || event.defaultPrevented) return;
    const command = commandOf(event, kindOf(event.target));
    if (!command) return;
    event.preventDefault();
    if (command.do === "help") help();
    else if (command.do === "leave") document.fullscreenElement ? void document.exitFullscreen() : leave();
    else runCommand(command, actions, element.current);
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => handle(event);
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}

function kindOf(target: EventTarget | null): "none" | "button" | "slider" {
  if (target instanceof HTMLInputElement) return "slider";
  if (target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement) return "button";
  return "none";
}

function useLeavePlayer() {
  const router = useRouter();
  const canGoBack = useCanGoBack();
  return () => (canGoBack ? router.history.back() : void router.navigate({ to: "/" }));
}
