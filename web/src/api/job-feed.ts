/**
 * Jobs as they happen: server-sent events change the cached list in place; while the stream is down the list is asked for
 * every few seconds instead.
 */
import {
  type InfiniteData,
  infiniteQueryOptions,
  type QueryClient,
  queryOptions,
  useInfiniteQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { filmsOutlook, jobs } from "./admin-endpoints";
import { BASE, refreshSession } from "./http";
import type { Job, Page } from "./types";

const POLL_MS = 4000;
const RECONNECT_MS = 2000;
type Pages = InfiniteData<Page<Job>, string | undefined>;

export const jobsQuery = infiniteQueryOptions({
  queryKey: ["jobs"],
  queryFn: ({ pageParam, signal }) => jobs(pageParam, signal),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last: Page<Job>) => last.next_cursor ?? undefined,
});

/** Of all films together; it moves with every part of one, so it is asked for while somebody looks. */
export const outlookQuery = queryOptions({
  queryKey: ["films-outlook"],
  queryFn: ({ signal }) => filmsOutlook(signal),
  refetchInterval: POLL_MS,
});

export function useJobs() {
  const client = useQueryClient();
  const overtaken = useRef(false);
  const live = useJobFeed((job) => {
    overtaken.current ||= client.isFetching({ queryKey: jobsQuery.queryKey }) > 0;
    applyJob(client, job);
  });
  const list = useInfiniteQuery({ ...jobsQuery, refetchInterval: live ? false : POLL_MS });
  const { isFetching, refetch } = list;
  // A list that was on its way may be from before the event, and undoes it: one more is asked for once it is there.
  useEffect(() => {
    if (isFetching || !overtaken.current) return;
    overtaken.current = false;
    void refetch();
  }, [isFetching, refetch]);
  return { list, live };
}

/** Listens while the page is open. The stream ends with the access token: then the session is refreshed and it begins again. */
function useJobFeed(happened: (job: Job) => void): boolean {
  const client = useQueryClient();
  const [live, setLive] = useState(false);
  const hear = useRef(happened);
  hear.current = happened;
  useEffect(() => {
    if (!("EventSource" in window)) return;
    let source: EventSource | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    const later = () => {
      if (stopped) return;
      again = setTimeout(() => void refreshSession().then((lives) => lives && listen(), later), RECONNECT_MS);
    };
    const listen = () => {
      // The page may have been left while the session was refreshed.
      if (stopped) return;
      const opened = new EventSource(`${BASE}/events`);
      source = opened;
      opened.addEventListener("job", (event: MessageEvent<string>) => {
        const job = jobOf(event.data);
        if (job) hear.current(job);
      });
      opened.addEventListener("open", () => {
        setLive(true);
        void client.invalidateQueries({ queryKey: jobsQuery.queryKey });
      });
      opened.addEventListener("error", () => {
        setLive(false);
        if (opened.readyState === EventSource.CLOSED) later();
      });
    };
    listen();
    return () => {
      stopped = true;
      clearTimeout(again);
      source?.close();
    };
  }, [client]);
  return live;
}

/** The job in an event: bare, or inside `{job}` of an event with other news. */
export function jobOf(data: string): Job | undefined {
  try {
    const value = JSON.parse(data) as Record<string, unknown>;
    const job = (typeof value.job === "object" && value.job !== null ? value.job : value) as Partial<Job>;
    return job.id && job.state && job.kind ? (job as Job) : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the job where it stands, or puts a new one on top. */
export function applyJob(client: QueryClient, job: Job) {
  client.setQueryData<Pages>(jobsQuery.queryKey, (old) => old && withJob(old, job));
}

export function withJob(data: Pages, job: Job): Pages {
  const known = data.pages.some((page) => page.items.some((entry) => entry.id === job.id));
  const pages = data.pages.map((page, at) => {
    if (known)
      return { ...page, items: page.items.map((entry) => (entry.id === job.id ? { ...entry, ...job } : entry)) };
    return at === 0 ? { ...page, items: [job, ...page.items] } : page;
  });
  return { ...data, pages };
}
