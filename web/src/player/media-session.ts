/** What the system knows of the film: its name and picture on the lock screen, and the keys of keyboards and headphones. */
import { useEffect, useEffectEvent } from "react";
import type { Title } from "@/api/types";
import { strings } from "@/strings";
import type { Actions } from "./actions";
import type { VideoState } from "./use-video";

const SEEK_S = 10;

interface SessionProps {
  title: Title | undefined;
  video: VideoState;
  actions: Actions;
  /** Absent: nothing follows. */
  onNext: (() => void) | undefined;
}

export function useMediaSession({ title, video, actions, onNext }: SessionProps) {
  useMetadata(title);
  const { paused, rate, duration, time } = video;
  // Between two reports the system counts on by itself.
  const second = Math.floor(time);
  useEffect(() => {
    const session = navigator.mediaSession;
    if (!session) return;
    session.playbackState = paused ? "paused" : "playing";
    if (duration > 0)
      session.setPositionState?.({ duration, playbackRate: rate, position: Math.min(second, duration) });
  }, [paused, rate, duration, second]);
  useHandlers(actions, onNext);
}

function useMetadata(title: Title | undefined) {
  const { name, place, poster_url: poster, backdrop_url: backdrop } = title ?? {};
  const series = place?.series_name;
  const part = place && strings.title.episode(place.season, place.episode);
  useEffect(() => {
    const session = navigator.mediaSession;
    if (!session || name === undefined) return;
    const artwork = [backdrop, poster].flatMap((src) => (src ? [{ src: new URL(src, document.baseURI).href }] : []));
    session.metadata = new MediaMetadata({ title: name, artist: series ?? "", album: part ?? "", artwork });
    return () => {
      session.metadata = null;
      session.playbackState = "none";
    };
  }, [name, series, part, poster, backdrop]);
}

function useHandlers(actions: Actions, onNext: (() => void) | undefined) {
  const next = useEffectEvent(() => onNext?.());
  const follows = onNext !== undefined;
  useEffect(() => {
    const session = navigator.mediaSession;
    if (!session) return;
    const handlers: Partial<Record<MediaSessionAction, MediaSessionActionHandler>> = {
      play: actions.play,
      pause: actions.pause,
      stop: actions.pause,
      seekbackward: ({ seekOffset }) => actions.seekBy(-(seekOffset ?? SEEK_S)),
      seekforward: ({ seekOffset }) => actions.seekBy(seekOffset ?? SEEK_S),
      seekto: ({ seekTime }) => seekTime != null && actions.seekTo(seekTime),
      previoustrack: () => actions.seekTo(0),
      ...(follows ? { nexttrack: () => next() } : {}),
    };
    const set = (action: string, handler: MediaSessionActionHandler | null) => {
      try {
        session.setActionHandler(action as MediaSessionAction, handler);
      } catch {
        // A browser that does not know this action.
      }
    };
    for (const [action, handler] of Object.entries(handlers)) set(action, handler);
    return () => {
      for (const action of Object.keys(handlers)) set(action, null);
    };
  }, [actions, follows]);
}
