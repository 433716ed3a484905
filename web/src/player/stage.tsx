/** What lies on the picture beside the bar of controls: the title, the middle, and short offers. */
import { Link } from "@tanstack/react-router";
import { type PointerEvent, useEffect, useMemo, useState } from "react";
import type { Playback, Title } from "@/api/types";
import { Icon } from "@/components/icons";
import { Mark } from "@/components/mark";
import { clockTime } from "@/lib/format";
import { strings } from "@/strings";
import { playerEn as words } from "@/strings/player-en";
import type { Actions } from "./actions";
import { StepButtons } from "./controls";
import { makeTaps } from "./taps";
import type { useIdle } from "./use-idle";
import type { VideoState } from "./use-video";

const RESUMED_SHOWN_MS = 8000;
/** An offer to skip that little is not worth a button. */
const SKIPPED_MIN_S = 1;

export function TopBar({
  title,
  titleId,
  onLeave,
}: {
  title: Title | undefined;
  titleId: string;
  onLeave: () => void;
}) {
  return (
    <div className="player__top">
      <button type="button" className="icon-button" aria-label={words.back} title={words.back} onClick={onLeave}>
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

interface MiddleProps {
  video: VideoState;
  troubled: boolean;
  actions: Actions;
}

/** The wait, the large button, and for fingers the steps beside it. */
export function Middle({ video, troubled, actions }: MiddleProps) {
  if (troubled) return null;
  const waiting = video.waiting && !video.ended;
  return (
    <div className="player__middle">
      {waiting && <Loading begun={video.started} />}
      {!waiting && !video.ended && (
        <div className="player__centre" data-paused={video.paused}>
          <StepButtons actions={actions}>
            <button
              type="button"
              className="player__big"
              aria-label={video.paused ? words.play : words.pause}
              onClick={actions.toggle}
            >
              <Icon name={video.paused ? "play" : "pause"} />
            </button>
          </StepButtons>
        </div>
      )}
    </div>
  );
}

export function Loading({ begun }: { begun: boolean }) {
  return (
    <div className="player__loading" role="status">
      <Mark />
      {!begun && <p>{words.loading}</p>}
      {begun && <span className="visually-hidden">{strings.app.loading}</span>}
    </div>
  );
}

interface SurfaceProps {
  actions: Actions;
  idle: ReturnType<typeof useIdle>;
  /** Closes the menu that is open, where one is. */
  onDismiss: (() => void) | undefined;
}

/** The picture as a button for pointers: click plays or pauses, two clicks fill the screen, taps as in `taps.ts`. */
export function Surface({ actions, idle, onDismiss }: SurfaceProps) {
  const tap = useMemo(() => makeTaps({ single: idle.toggle, seekBy: actions.seekBy }), [actions, idle.toggle]);
  const lift = (event: PointerEvent<HTMLElement>) => {
    if (onDismiss) return onDismiss();
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

export function Resumed({ at, onStartOver }: { at: number; onStartOver: () => void }) {
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

interface SkipProps {
  intro: Playback["intro"];
  time: number;
  onSkip: (time: number) => void;
}

export function SkipIntro({ intro, time, onSkip }: SkipProps) {
  if (!intro || time < intro.start_s || time > intro.end_s - SKIPPED_MIN_S) return null;
  return (
    <button type="button" className="button player__skip" onClick={() => onSkip(intro.end_s)}>
      <Icon name="next" />
      {words.skipIntro}
    </button>
  );
}
