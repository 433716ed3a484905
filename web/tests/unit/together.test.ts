/** Watching together without a server: the clock, where the film is, what an element does to be there, and who says what. */
import { describe, expect, it } from "vitest";
import { commandOf } from "@/player/keyboard";
import { Clock } from "@/together/clock";
import type { FilmState } from "@/together/messages";
import { learned, moves, nothingKnown, positionAt, step } from "@/together/sync";

const film = (change: Partial<FilmState> = {}): FilmState => ({
  playing: true,
  position_s: 100,
  at_ms: 10_000,
  rate: 1,
  revision: 1,
  waiting_for: [],
  by: null,
  ...change,
});
const picture = (time: number, change = {}) => ({
  time,
  duration: 3_600,
  paused: false,
  ended: false,
  busy: false,
  ...change,
});

describe("the clock", () => {
  it("takes the sample that was under way the shortest", () => {
    const clock = new Clock();
    expect(clock.offset).toBeUndefined();
    // The server is 5,000 ahead; one way took 90, the other 10.
    clock.add(1_000, 6_090, 6_091, 1_101);
    expect(clock.offset).toBeCloseTo(5_040, 6);
    clock.add(2_000, 7_010, 7_012, 2_022);
    expect(clock.offset).toBeCloseTo(5_000, 6);
    expect(clock.trip).toBeCloseTo(20, 6);
    clock.add(3_000, 8_300, 8_300, 3_310);
    expect(clock.offset).toBeCloseTo(5_000, 6);
  });

  it("forgets what is old, what is impossible, and another server's", () => {
    const clock = new Clock();
    clock.add(0, 5_000, 5_000, 10);
    clock.add(70_000, 75_200, 75_200, 70_100);
    expect(clock.offset).toBeCloseTo(5_150, 6);
    clock.add(70_000, 70_000, 99_000, 70_001);
    expect(clock.samples).toBe(1);
    clock.reset();
    expect(clock.offset).toBeUndefined();
  });
});

describe("where the film is", () => {
  it("is a line from its moment on", () => {
    expect(positionAt(film(), 9_000)).toBe(100);
    expect(positionAt(film(), 12_500)).toBe(102.5);
    expect(positionAt(film({ rate: 2 }), 12_500)).toBe(105);
    expect(positionAt(film({ playing: false }), 12_500)).toBe(100);
    expect(positionAt(film({ waiting_for: ["2"] }), 12_500)).toBe(100);
    expect(positionAt(film(), 12_500, 101)).toBe(101);
    expect(moves(film(), 9_999)).toBe(false);
  });
});

describe("a step", () => {
  const take = (state: FilmState, now: number, seen: ReturnType<typeof picture>, memory = nothingKnown()) =>
    step(state, now, seen, memory);

  it("leaves alone what is right", () => {
    expect(take(film(), 11_000, picture(101.02))[0]).toEqual({ run: undefined, rate: 1 });
  });

  it("mends a little by speed, within what is not heard, until it is fine", () => {
    const [behind, memory] = take(film(), 11_000, picture(100.95));
    expect(behind.rate).toBeGreaterThan(1.02);
    expect(behind.rate).toBeLessThanOrEqual(1.05);
    expect(behind.seekTo).toBeUndefined();
    expect(take(film(), 11_000, picture(100.98), memory)[0].rate).toBeGreaterThan(1);
    expect(take(film(), 11_000, picture(100.99), memory)[0].rate).toBe(1);
    expect(take(film(), 11_000, picture(100.98))[0].rate).toBe(1);
    const ahead = take(film({ rate: 1.5 }), 11_000, picture(101.7))[0];
    expect(ahead.rate).toBeCloseTo(1.5 * 0.95, 6);
  });

  it("jumps where it is far, ahead of what a jump takes, and not again at once", () => {
    const [jump, memory] = take(film(), 11_000, picture(20), { ...nothingKnown(), lead_s: 0.2 });
    expect(jump.seekTo).toBeCloseTo(101.2, 6);
    expect(take(film(), 12_000, picture(101.5), memory)[0].seekTo).toBeUndefined();
    expect(take(film(), 14_000, picture(102), memory)[0].seekTo).toBeGreaterThan(104);
    expect(take(film({ revision: 2 }), 12_000, picture(50), memory)[0].seekTo).toBeGreaterThan(101);
  });

  it("learns how long jumps take", () => {
    const late = learned(nothingKnown(), 0.4);
    expect(late.lead_s).toBeGreaterThan(0.3);
    expect(learned(late, -5).lead_s).toBe(0);
    expect(learned(late, 50).lead_s).toBe(1.5);
  });

  it("stands still where the party does, exactly there", () => {
    expect(take(film({ playing: false }), 11_000, picture(100.5))[0]).toEqual({ run: "pause", seekTo: 100, rate: 1 });
    expect(take(film({ playing: false }), 11_000, picture(100, { paused: true }))[0]).toEqual({
      run: undefined,
      rate: 1,
    });
    expect(take(film(), 9_000, picture(100, { paused: true }))[0].run).toBeUndefined();
    expect(take(film(), 10_000, picture(100, { paused: true }))[0].run).toBe("play");
    expect(take(film({ waiting_for: ["3"] }), 20_000, picture(100))[0].run).toBe("pause");
  });

  it("does not push an element that is busy, nor one that has ended", () => {
    expect(take(film(), 11_000, picture(50, { busy: true }))[0].seekTo).toBeUndefined();
    const atTheEnd = picture(3_600, { ended: true, paused: true });
    expect(take(film({ position_s: 3_599 }), 20_000, atTheEnd)[0]).toEqual({ rate: 1 });
  });
});

it("keys that are written are no commands", () => {
  for (const key of ["k", " ", "ArrowLeft", "Escape", "?"]) expect(commandOf({ key }, "text")).toBeUndefined();
});
