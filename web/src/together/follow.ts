/** Keeps a video element where the party is, and says when its picture cannot go on. */
import type { FilmState } from "./messages";
import { JUMP_S, learned, type Memory, moves, nothingKnown, positionAt, step } from "./sync";

export interface Leader {
  /** Where the film is, once it is known. */
  state: () => FilmState | undefined;
  /** The server's clock, once it is known. */
  now: () => number | undefined;
  onChange: (listener: () => void) => () => void;
  waiting: (waiting: boolean) => void;
}

const LOOK_EVERY_MS = 100;
/** A jump within what is buffered is shorter than this. */
const BUSY_MAX_MS = 400;
/** After it has begun to move, before its place says how long the jump took. */
const SETTLED_MS = 200;
const EVENTS = ["seeked", "canplay", "playing", "pause", "waiting", "ended"];

export class Follower {
  #video: HTMLVideoElement;
  #leader: Leader;
  #memory: Memory = nothingKnown();
  #busySince: number | undefined;
  #told = false;
  /** It has been where the party is: nobody stops for who is only coming. */
  #arrived = false;
  /** Since when a jump is over whose length is not yet known. */
  #landedAt: number | undefined;
  #jumping = false;
  #stop: (() => void)[] = [];
  #begin: ReturnType<typeof setTimeout> | undefined;
  #blocked = false;
  #onBlocked: (blocked: boolean) => void;

  constructor(video: HTMLVideoElement, leader: Leader, onBlocked: (blocked: boolean) => void) {
    this.#video = video;
    this.#leader = leader;
    this.#onBlocked = onBlocked;
    const look = () => this.#look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    for (const name of EVENTS) video.addEventListener(name, look);
    this.#stop = [
      leader.onChange(look),
      () => clearInterval(timer),
      () => {
        for (const name of EVENTS) video.removeEventListener(name, look);
      },
    ];
    look();
  }

  stop() {
    for (const stop of this.#stop.splice(0)) stop();
    clearTimeout(this.#begin);
    this.#video.playbackRate = this.#leader.state()?.rate ?? 1;
  }

  /** A press of the viewer's: now the browser lets the film be heard. */
  unblock() {
    this.#block(false);
    this.#look();
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  #block(blocked: boolean) {
    if (this.#blocked === blocked) return;
    this.#blocked = blocked;
    this.#onBlocked(blocked);
  }

  #look() {
    const [state, now, video] = [this.#leader.state(), this.#leader.now(), this.#video];
    if (!state || now === undefined || video.readyState < HTMLMediaElement.HAVE_METADATA) return;
    const busy = video.seeking || video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    const off = positionAt(state, now, video.duration) - video.currentTime;
    if (!busy && Math.abs(off) <= JUMP_S) this.#arrived = true;
    this.#tellWaiting(busy && !video.ended, state, now);
    this.#learn(busy, state, now);
    const picture = {
      time: video.currentTime,
      duration: video.duration,
      paused: video.paused,
      ended: video.ended,
      busy,
    };
    const [wanted, memory] = step(state, now, picture, this.#memory);
    this.#memory = memory;
    if (wanted.run === "pause") video.pause();
    if (wanted.seekTo !== undefined) this.#jump(wanted.seekTo, moves(state, now));
    if (Math.abs(video.playbackRate - wanted.rate) > 0.001) video.playbackRate = wanted.rate;
    if (wanted.run === "play") this.#play();
    this.#beginOnTime(state, now);
  }

  #jump(to: number, moving: boolean) {
    this.#video.currentTime = to;
    this.#jumping = moving;
    this.#landedAt = undefined;
  }

  #play() {
    if (this.#blocked) return;
    this.#video.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === "NotAllowedError") this.#block(true);
    });
  }

  /** A beginning that lies ahead is not left to the next look. */
  #beginOnTime(state: FilmState, now: number) {
    clearTimeout(this.#begin);
    const ahead = state.at_ms - now;
    if (state.playing && state.waiting_for.length === 0 && ahead > 0) {
      this.#begin = setTimeout(() => this.#look(), ahead + 1);
    }
  }

  #learn(busy: boolean, state: FilmState, now: number) {
    if (!this.#jumping) return;
    const moving = moves(state, now) && !busy && !this.#video.paused;
    if (!moving) this.#landedAt = undefined;
    else if (this.#landedAt === undefined) this.#landedAt = now;
    else if (now - this.#landedAt >= SETTLED_MS) {
      this.#jumping = false;
      this.#memory = learned(this.#memory, positionAt(state, now, this.#video.duration) - this.#video.currentTime);
    }
  }

  #tellWaiting(busy: boolean, state: FilmState, now: number) {
    if (!busy) this.#busySince = undefined;
    else this.#busySince ??= now;
    const long = this.#busySince !== undefined && now - this.#busySince > BUSY_MAX_MS;
    const late = long && this.#arrived && !this.#blocked;
    const waiting = busy && (this.#told || (late && state.playing));
    if (waiting === this.#told) return;
    this.#told = waiting;
    this.#leader.waiting(waiting);
  }

  /** After a new connection the party does not know any more what it was told. */
  tellAgain() {
    if (this.#told) this.#leader.waiting(true);
  }
}
