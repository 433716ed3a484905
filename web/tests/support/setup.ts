/** What the simulated document lacks, and a clean slate for every test. */
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";
import { chosenProfile } from "@/api/profile-choice";
import { clearToasts } from "@/components/toast";

class NoResize implements ResizeObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}

globalThis.ResizeObserver ??= NoResize;

afterEach(() => {
  cleanup();
  clearToasts();
  chosenProfile.set(undefined);
  localStorage.clear();
});
