/** Messages: gone after a while, but not while somebody points at them or has the focus in them. */
import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { showToast, Toasts } from "@/components/toast";

beforeEach(() => {
  vi.useFakeTimers();
  render(
    <>
      <button type="button">page</button>
      <Toasts />
    </>,
  );
});
afterEach(() => vi.useRealTimers());

const pass = (ms: number) => act(() => vi.advanceTimersByTime(ms));
const shown = () => screen.queryByText("Heat is hidden") !== null;

it("go by themselves", () => {
  act(() => showToast("Heat is hidden"));
  pass(6900);
  expect(shown()).toBe(true);
  pass(200);
  expect(shown()).toBe(false);
});

it("wait while they are pointed at", () => {
  act(() => showToast("Heat is hidden"));
  const toast = screen.getByText("Heat is hidden").parentElement as HTMLElement;
  fireEvent.pointerEnter(toast);
  pass(60_000);
  expect(shown()).toBe(true);
  fireEvent.pointerLeave(toast);
  pass(7000);
  expect(shown()).toBe(false);
});

it("wait while their button has the focus, and give it back to where it came from", () => {
  const undo = vi.fn();
  act(() => showToast("Heat is hidden", { label: "Undo", run: undo }));
  const page = screen.getByRole("button", { name: "page" });
  act(() => page.focus());
  act(() => screen.getByRole("button", { name: "Undo" }).focus());
  pass(60_000);
  expect(shown()).toBe(true);
  act(() => screen.getByRole("button", { name: "Undo" }).click());
  expect(undo).toHaveBeenCalledOnce();
  expect(document.activeElement).toBe(page);
});
