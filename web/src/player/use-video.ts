/** What the video element says of itself, as state for the controls. */
import { type RefObject, useEffect, useState } from "react";

export interface VideoState {
  paused: boolean;
  ended: boolean;
  waiting: boolean;
  started: boolean;
  time: number;
  duration: number;
  buffered: number;
  volume: number;
  muted: boolean;
  rate: number;
  inPicture: boolean;
}

export const initialVideo: VideoState = {
  paused: true,
  ended: false,
  waiting: true,
  started: false,
  time: 0,
  duration: 0,
  buffered: 0,
  volume: 1,
  muted: false,
  rate: 1,
  inPicture: false,
};

const EVENTS = [
  "play",
  "pause",
  "ended",
  "timeupdate",
  "durationchange",
  "progress",
  "volumechange",
  "ratechange",
  "seeking",
  "seeked",
  "waiting",
  "playing",
  "canplay",
  "loadeddata",
  "enterpictureinpicture",
  "leavepictureinpicture",
];

export function useVideo(video: RefObject<HTMLVideoElement | null>, expectedDuration: number): VideoState {
  const [state, setState] = useState(initialVideo);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    const read = (event?: Event) => setState((old) => readVideo(element, old, event?.type, expectedDuration));
    for (const name of EVENTS) element.addEventListener(name, read);
    read();
    return () => {
      for (const name of EVENTS) element.removeEventListener(name, read);
    };
  }, [video, expectedDuration]);
  return state;
}

function readVideo(video: HTMLVideoElement, old: VideoState, event: string | undefined, expected: number): VideoState {
  return {
    paused: video.paused,
    ended: video.ended,
    waiting:
      event === "waiting" ||
      (video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !video.ended && !(video.paused && old.started)),
    started: old.started || event === "playing" || event === "loadeddata",
    time: video.currentTime,
    duration: Number.isFinite(video.duration) && video.duration > 0 ? video.duration : expected,
    buffered: bufferedAhead(video),
    volume: video.volume,
    muted: video.muted,
    rate: video.playbackRate,
    inPicture: document.pictureInPictureElement === video,
  };
}

/** The end of the buffered stretch that the position lies in. */
export function bufferedAhead(video: HTMLVideoElement): number {
  for (let at = 0; at < video.buffered.length; at += 1) {
    if (video.buffered.start(at) <= video.currentTime + 0.25 && video.buffered.end(at) >= video.currentTime) {
      return video.buffered.end(at);
    }
  }
  return video.currentTime;
}
