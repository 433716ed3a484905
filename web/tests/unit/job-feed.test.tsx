/** The stream of jobs: it begins again after its session was refreshed, but never for a page that has been left. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useJobs } from "@/api/job-feed";
import { json, problem, serve } from "../support/server";

const opened: Feed[] = [];

class Feed extends EventTarget {
  static readonly CLOSED = 2;
  readyState = 1;
  constructor() {
    super();
    opened.push(this);
  }
  close() {
    this.readyState = Feed.CLOSED;
  }
  /** As the server ends it with the access token. */
  end() {
    this.close();
    this.dispatchEvent(new Event("error"));
  }
}

const wrapper = ({ children }: { children: ReactNode }) => (
  <QueryClientProvider client={new QueryClient()}>{children}</QueryClientProvider>
);

beforeEach(() => {
  opened.length = 0;
  vi.stubGlobal("EventSource", Feed);
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

it("begins again with a refreshed session, however long the server was away", async () => {
  serve({
    "GET /api/v1/admin/jobs": () => json({ items: [] }),
    "POST /api/v1/auth/refresh": (_request, call) => (call === 1 ? problem(503, "unavailable") : json({})),
  });
  renderHook(() => useJobs(), { wrapper });
  act(() => opened[0]?.end());
  await pass(2000);
  expect(opened).toHaveLength(1);
  await pass(2000);
  expect(opened).toHaveLength(2);
});

it("does not begin again on a page that was left while the session was refreshed", async () => {
  let answer: (response: Response) => void = () => undefined;
  serve({
    "GET /api/v1/admin/jobs": () => json({ items: [] }),
    "POST /api/v1/auth/refresh": () =>
      new Promise<Response>((resolve) => {
        answer = resolve;
      }),
  });
  const { unmount } = renderHook(() => useJobs(), { wrapper });
  act(() => opened[0]?.end());
  await pass(2000);
  unmount();
  answer(json({}));
  await pass(5000);
  expect(opened).toHaveLength(1);
});

it.each([
  [1, "the first list"],
  [2, "the list that is asked for when the stream opens"],
])("is not undone by a list that was on its way (%d: %s)", async (late) => {
  const job = (state: string) => ({ id: "a", kind: "import", state, progress: 0, stage: "", subject: "MovieLens" });
  let answer: (response: Response) => void = () => undefined;
  serve({
    "GET /api/v1/admin/jobs": (_request, call) => {
      if (call !== late) return json({ items: [job(call < late ? "running" : "failed")] });
      return new Promise<Response>((resolve) => {
        answer = resolve;
      });
    },
  });
  const { result } = renderHook(() => useJobs(), { wrapper });
  await pass(10);
  if (late === 2) act(() => opened[0]?.dispatchEvent(new Event("open")));
  await pass(10);
  const said = JSON.stringify({ type: "job", job: job("failed") });
  act(() => opened[0]?.dispatchEvent(new MessageEvent("job", { data: said })));
  answer(json({ items: [job("running")] }));
  await pass(100);
  expect(result.current.list.data?.pages[0]?.items.map(({ state }) => state)).toEqual(["failed"]);
});
