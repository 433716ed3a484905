/** The count before the next episode: how long, when it stands still, and that it begins anew. */
import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useCountdown } from "@/player/next";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const count = (left: number) =>
  renderHook(({ counting, running }) => useCountdown(counting, running, left), {
    initialProps: { counting: true, running: true },
  });
const pass = (ms: number) => act(() => vi.advanceTimersByTime(ms));

it("counts fifteen seconds, or what is left of the film, but never less than one needs to say no", () => {
  expect([300, 9, 0].map((left) => count(left).result.current)).toEqual([15, 9, 5]);
});

it("counts to nothing and stays there", () => {
  const { result } = count(5);
  pass(2000);
  expect(result.current).toBeCloseTo(3, 3);
  pass(10_000);
  expect(result.current).toBe(0);
});

it("stands still while the film does", () => {
  const { result, rerender } = count(10);
  pass(1000);
  rerender({ counting: true, running: false });
  pass(60_000);
  expect(result.current).toBeCloseTo(9, 3);
  rerender({ counting: true, running: true });
  pass(1000);
  expect(result.current).toBeCloseTo(8, 3);
});

it("begins anew where somebody has gone back from the credits and comes there again", () => {
  const { result, rerender } = count(10);
  pass(4000);
  rerender({ counting: false, running: true });
  expect(result.current).toBeUndefined();
  rerender({ counting: true, running: true });
  expect(result.current).toBe(10);
});
