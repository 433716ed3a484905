/** What a video element has to do to be where the party is: pure, so that it can be judged without one. */
import type { FilmState } from "./messages";

export interface Picture {
  time: number;
  duration: number;
  paused: boolean;
  ended: boolean;
  /** It is on its way elsewhere, or has nothing to show there yet. */
  busy: boolean;
}

/** What is remembered from one look to the next. */
export interface Memory {
  /** How long a jump takes until the picture moves, as far as it is known. */
  lead_s: number;
  jumpedAt: number;
  /** The state that the last jump was for. */
  jumpedFor: number;
  mending: boolean;
}

export interface Step {
  run?: "play" | "pause";
  seekTo?: number;
  rate: number;
}

/** Nobody sees a film be that far off; sound of two rooms is not told apart below. */
const FINE_S = 0.015;
const DRIFT_S = 0.035;
/** A picture that stands still can be put right at no cost. */
const STILL_S = 0.04;
/** Further away than this, running faster or slower takes too long. */
export const JUMP_S = 0.3;
const JUMP_AGAIN_MS = 2_500;
/** What is not heard of a change in speed. */
const MEND_MAX = 0.05;
/** So long does mending aim to take. */
const MEND_OVER_S = 1.5;
const LEAD_MAX_S = 1.5;

export const nothingKnown = (): Memory => ({
  lead_s: 0.1,
  jumpedAt: Number.NEGATIVE_INFINITY,
  jumpedFor: -1,
  mending: false,
});

/** Whether the film moves at that moment of the server's clock. */
export function moves(state: FilmState, now: number): boolean {
  return state.playing && state.waiting_for.length === 0 && now >= state.at_ms;
}

/** Where the film is at that moment of the server's clock. */
export function positionAt(state: FilmState, now: number, duration = Number.POSITIVE_INFINITY): number {
  const passed = moves(state, now) ? ((now - state.at_ms) / 1000) * state.rate : 0;
  return Math.max(0, Math.min(state.position_s + passed, duration > 0 ? duration : Number.POSITIVE_INFINITY));
}

/** The step to take now, with what to remember of it. */
export function step(state: FilmState, now: number, picture: Picture, memory: Memory): [Step, Memory] {
  const target = positionAt(state, now, picture.duration);
  if (!moves(state, now)) return [hold(state, target, picture), { ...memory, mending: false }];
  const rate = state.rate;
  if (target >= picture.duration) {
    // The end comes to everybody by itself.
    const gone = picture.ended || picture.duration - picture.time < JUMP_S;
    return [gone ? { rate } : { seekTo: target, rate }, memory];
  }
  const run = picture.paused ? "play" : undefined;
  if (picture.busy) return [{ run, rate }, memory];
  const behind = target - picture.time;
  const again = state.revision !== memory.jumpedFor || now - memory.jumpedAt >= JUMP_AGAIN_MS;
  if (Math.abs(behind) > JUMP_S && again) {
    const seekTo = Math.min(target + memory.lead_s * rate, picture.duration);
    return [
      { run, seekTo, rate },
      { ...memory, jumpedAt: now, jumpedFor: state.revision, mending: false },
    ];
  }
  const mending = Math.abs(behind) > (memory.mending ? FINE_S : DRIFT_S);
  const change = Math.max(-MEND_MAX, Math.min(MEND_MAX, behind / MEND_OVER_S));
  return [
    { run, rate: mending ? rate * (1 + change) : rate },
    { ...memory, mending },
  ];
}

function hold(state: FilmState, target: number, picture: Picture): Step {
  const run = picture.paused ? undefined : "pause";
  const off = !picture.busy && Math.abs(picture.time - target) > STILL_S;
  return off ? { run, seekTo: target, rate: state.rate } : { run, rate: state.rate };
}

/** After a jump: how far behind the picture came out says how far ahead the next one must aim. */
export function learned(memory: Memory, behind_s: number): Memory {
  const lead_s = Math.max(0, Math.min(LEAD_MAX_S, memory.lead_s + behind_s * 0.7));
  return { ...memory, lead_s };
}
