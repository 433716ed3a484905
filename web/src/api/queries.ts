/** What is cached, under which key, and for how long. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import * as api from "./endpoints";
import type { Id } from "./types";

const MINUTE_MS = 60_000;

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => api.me(signal),
  staleTime: 5 * MINUTE_MS,
});

export const homeQuery = queryOptions({
  queryKey: ["home"],
  queryFn: ({ signal }) => api.home(signal),
  staleTime: MINUTE_MS,
  gcTime: 30 * MINUTE_MS,
});

export const titleQuery = (id: Id) =>
  queryOptions({
    queryKey: ["title", id],
    queryFn: ({ signal }) => api.title(id, signal),
    staleTime: MINUTE_MS,
  });

export const similarQuery = (id: Id) =>
  queryOptions({
    queryKey: ["similar", id],
    queryFn: async ({ signal }) => (await api.similar(id, signal)).items,
    staleTime: 5 * MINUTE_MS,
  });

export const genresQuery = queryOptions({
  queryKey: ["genres"],
  queryFn: ({ signal }) => api.genres(signal),
  staleTime: 10 * MINUTE_MS,
});

export const onboardingQuery = queryOptions({
  queryKey: ["onboarding"],
  queryFn: ({ signal }) => api.onboarding(signal),
  staleTime: MINUTE_MS,
});

export const searchQuery = (query: api.SearchQuery) =>
  queryOptions({
    queryKey: ["search", query],
    queryFn: ({ signal }) => api.search(query, signal),
    placeholderData: keepPreviousData,
    staleTime: MINUTE_MS,
  });

/** Pages on until the server sends no cursor, or repeats one: a list always ends. */
const paging = {
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last: { next_cursor?: string | null }, _pages: unknown, sent: string | undefined) =>
    last.next_cursor && last.next_cursor !== sent ? last.next_cursor : undefined,
};

export const browseQuery = (filter: api.BrowseFilter) =>
  infiniteQueryOptions({
    queryKey: ["browse", filter],
    queryFn: ({ pageParam, signal }) => api.browse(filter, pageParam, signal),
    ...paging,
    staleTime: MINUTE_MS,
  });

export const myListQuery = infiniteQueryOptions({
  queryKey: ["my-list"],
  queryFn: async ({ pageParam, signal }) => {
    const page = await api.myList(pageParam, signal);
    return { ...page, items: page.items.map(({ title }) => title) };
  },
  ...paging,
});

export const historyQuery = infiniteQueryOptions({
  queryKey: ["history"],
  queryFn: ({ pageParam, signal }) => api.history(pageParam, signal),
  ...paging,
});

export const ratingsQuery = infiniteQueryOptions({
  queryKey: ["ratings"],
  queryFn: ({ pageParam, signal }) => api.ratings(pageParam, signal),
  ...paging,
});

export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: ({ signal }) => api.sessions(signal),
});
