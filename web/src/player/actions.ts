/** What a press does to the video; used by buttons, keys and taps alike. */
import { clockTime, percent } from "@/lib/format";
import { playerEn as words } from "@/strings/player-en";
import { type Command, nextSpeed } from "./keyboard";
import { speedText } from "./speed";

const VOLUME_KEY = "kinora.volume";
/** What Unmute comes back to at least: on the way to silence a slider passes through whispers. */
const AUDIBLE_MIN = 0.25;

export interface Actions {
  toggle: () => void;
  play: () => void;
  pause: () => void;
  /** Where the film is, or is going to be: what is drawn comes later. */
  position: () => number;
  seekTo: (time: number) => void;
  /** Near there, at the place that can be shown soonest: for who points at a place and does not name it. */
  jumpTo: (time: number) => void;
  seekBy: (seconds: number) => void;
  /** To a part of the whole, 0 to 1. */
  jump: (fraction: number) => void;
  /** Stops, and shows the picture before or after this one. */
  frame: (by: 1 | -1) => void;
  setVolume: (volume: number) => void;
  mute: () => void;
  setRate: (rate: number) => void;
  fullscreen: () => void;
  picture: () => void;
}

/** What a press asks of the film. */
export interface Wish {
  playing?: boolean;
  position_s?: number;
  rate?: number;
}

interface Stage {
  /** Whether somebody else does it, or says why not: who watches together does not decide alone. */
  steer: (wish: Wish) => boolean;
  video: () => HTMLVideoElement | null;
  frame: () => HTMLElement | null;
  duration: () => number;
  /** Pictures in a second. */
  frameRate: () => number;
  /** The place near one that can be shown soonest. */
  soonest: (time: number) => number;
  flash: (text: string) => void;
}

export function makeActions({ steer, video, frame, duration, frameRate, soonest, flash }: Stage): Actions {
  const withVideo = (act: (element: HTMLVideoElement) => void) => () => {
    const element = video();
    if (element) act(element);
  };
  const position = () => video()?.currentTime ?? 0;
  const play = withVideo((element) => {
    if (!steer({ playing: true })) element.play().catch(() => undefined);
  });
  const pause = withVideo((element) => {
    if (!steer({ playing: false })) element.pause();
  });
  const seekTo = (time: number) =>
    withVideo((element) => {
      if (!Number.isFinite(time)) return;
      const position_s = Math.max(0, Math.min(time, duration() || time));
      if (!steer({ position_s })) element.currentTime = position_s;
    })();
  const jumpTo = (time: number) => seekTo(soonest(time));
  let audible = rememberedVolume() || 1;
  const setVolume = (element: HTMLVideoElement, volume: number) => {
    element.volume = Math.max(0, Math.min(1, volume));
    element.muted = element.volume === 0;
    if (element.volume > 0) audible = element.volume;
    rememberVolume(element.volume);
  };
  return {
    play,
    pause,
    toggle: withVideo((element) => (element.paused ? play() : pause())),
    position,
    seekTo,
    jumpTo,
    seekBy: (seconds) => {
      seekTo(position() + seconds);
      flash(words.seeked(seconds));
    },
    jump: (fraction) => jumpTo(fraction * duration()),
    frame: (by) =>
      withVideo((element) => {
        const rate = frameRate();
        // To the middle of that picture: its edges are where rounding decides.
        const position_s = Math.max(0, (Math.floor(element.currentTime * rate + 0.01) + by + 0.5) / rate);
        if (steer({ playing: false, position_s })) return;
        element.pause();
        seekTo(position_s);
        flash(words.framed(clockTime(element.currentTime)));
      })(),
    setVolume: (volume) =>
      withVideo((element) => {
        setVolume(element, volume);
        flash(words.volumeAt(percent(element.volume)));
      })(),
    mute: withVideo((element) => {
      if (element.volume === 0) setVolume(element, Math.max(audible, AUDIBLE_MIN));
      else element.muted = !element.muted;
    }),
    setRate: (rate) =>
      withVideo((element) => {
        if (!steer({ rate })) element.playbackRate = rate;
        flash(speedText(rate));
      })(),
    fullscreen: () => void toggleFullscreen(frame()),
    picture: withVideo((element) => void togglePicture(element)),
  };
}

/** Runs a key's command; what is not about the video is left to the page. */
export function runCommand(command: Command, actions: Actions, video: HTMLVideoElement | null): boolean {
  switch (command.do) {
    case "toggle":
      actions.toggle();
      return true;
    case "seek":
      actions.seekBy(command.by);
      return true;
    case "jump":
      actions.jump(command.fraction);
      return true;
    case "frame":
      actions.frame(command.by);
      return true;
    case "volume":
      actions.setVolume((video?.volume ?? 1) + command.by);
      return true;
    case "mute":
      actions.mute();
      return true;
    case "fullscreen":
      actions.fullscreen();
      return true;
    case "picture":
      actions.picture();
      return true;
    case "speed":
      actions.setRate(nextSpeed(video?.playbackRate ?? 1, command.by));
      return true;
    default:
      return false;
  }
}

async function toggleFullscreen(frame: HTMLElement | null) {
  if (document.fullscreenElement) await document.exitFullscreen().catch(() => undefined);
  else await frame?.requestFullscreen().catch(() => undefined);
}

async function togglePicture(video: HTMLVideoElement) {
  if (document.pictureInPictureElement) await document.exitPictureInPicture().catch(() => undefined);
  else await video.requestPictureInPicture?.().catch(() => undefined);
}

export function rememberedVolume(): number {
  try {
    const volume = Number(localStorage.getItem(VOLUME_KEY) ?? 1);
    return volume >= 0 && volume <= 1 ? volume : 1;
  } catch {
    return 1;
  }
}

function rememberVolume(volume: number) {
  try {
    localStorage.setItem(VOLUME_KEY, String(volume));
  } catch {
    // Storage is switched off: the volume lasts as long as the page.
  }
}
