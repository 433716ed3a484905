/** The desk's jobs: how far all films are together, and one that is put first. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it } from "vitest";
import type { Job } from "@/api/types";
import { filmsFacts, Section } from "@/pages/admin/jobs";
import { json, serve } from "../support/server";

afterEach(cleanup);

const job = (id: string, state: Job["state"], kind: Job["kind"] = "transcode"): Job => ({
  id,
  kind,
  state,
  progress: state === "running" ? 0.5 : 0,
  stage: "",
  subject: `Film ${id}`,
  attempts: 1,
  created_at: "2026-01-01T00:00:00Z",
});

const show = () =>
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Section />
    </QueryClientProvider>,
  );

it("says how many films there are, how far they are and how long they will take", async () => {
  serve({
    "GET /api/v1/admin/jobs": () => json({ items: [job("1", "running"), job("2", "queued")] }),
    "GET /api/v1/admin/jobs/outlook": () => json({ queued: 2, running: 1, progress: 0.25, remaining_s: 600 }),
  });
  show();
  const bar = await screen.findByRole("progressbar", { name: "Progress of all films" });
  expect(bar.getAttribute("aria-valuenow")).toBe("25");
  expect(screen.getByText(/^3 films are being prepared · 2 waiting · 25/)).toBeTruthy();
  expect(filmsFacts({ queued: 0, running: 1, progress: 0 })).toMatch(/^1 film is being prepared · 0/);
  expect(filmsFacts({ queued: 0, running: 1, progress: 0.5, remaining_s: 600 })).toMatch(/left$/);
});

it("says nothing of films while there are none", async () => {
  serve({
    "GET /api/v1/admin/jobs": () => json({ items: [job("1", "queued", "train")] }),
    "GET /api/v1/admin/jobs/outlook": () => json({ queued: 0, running: 0, progress: 1 }),
  });
  show();
  await screen.findByText("Film 1");
  expect(screen.queryByText(/prepared/)).toBeNull();
  expect(screen.queryByRole("button", { name: /Do first/ })).toBeNull();
});

it("puts a film first that waits, and no other", async () => {
  const asked: string[] = [];
  serve({
    "GET /api/v1/admin/jobs": () => json({ items: [job("1", "running"), job("2", "queued")] }),
    "GET /api/v1/admin/jobs/outlook": () => json({ queued: 1, running: 1, progress: 0.1 }),
    "POST /api/v1/admin/jobs/2/first": (request) => {
      asked.push(request.url);
      return json(job("2", "queued"));
    },
  });
  show();
  const button = await screen.findByRole("button", { name: "Do first: Film 2" });
  expect(screen.queryByRole("button", { name: "Do first: Film 1" })).toBeNull();
  await userEvent.click(button);
  await expect.poll(() => asked.length).toBe(1);
});
