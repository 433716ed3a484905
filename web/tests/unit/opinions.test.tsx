/** Opinions: shown at once, taken back when the server refuses, and a dislike with its undo. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, renderHook, screen, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeEach, describe, expect, it } from "vitest";
import { mapCards, patchCards } from "@/api/card-cache";
import { useDislike, useMyList, useRate, withTitleOf } from "@/api/opinions";
import type { Home } from "@/api/types";
import { useSwitchProfile } from "@/app/session";
import { showToast, Toasts } from "@/components/toast";
import { card, home, row } from "../support/data";
import { count, json, problem, serve } from "../support/server";

let client: QueryClient;
const wrapper = ({ children }: { children: ReactNode }) => (
  <QueryClientProvider client={client}>{children}</QueryClientProvider>
);
const cached = () => client.getQueryData<Home>(["home"]);
const ratingOf = (id: string) => cached()?.rows[0]?.items.find((item) => item.title.id === id)?.title.my_rating;

beforeEach(() => {
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(["home"], home(row("picks", ["a", "b", "c"]), row("more", ["b"])));
});

describe("rating", () => {
  it("shows at once and stays when the server agrees", async () => {
    const asked = serve({
      "PUT /api/v1/titles/a/rating": () =>
        json({ average_rating: 4.1, ratings_count: 11, rating_histogram: [], likes: 0, dislikes: 0 }),
    });
    const { result } = renderHook(() => useRate(card("a")), { wrapper });
    act(() => result.current.mutate({ stars: 5 }));
    await waitFor(() => expect(ratingOf("a")).toEqual({ stars: 5 }));
    await waitFor(() => expect(result.current.isSuccess).toBe(true));
    expect(cached()?.rows[0]?.items[0]?.title.average_rating).toBe(4.1);
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({ stars: 5 });
    expect(asked[0]?.headers.get("idempotency-key")).toBeTruthy();
    expect(client.getQueryState(["home"])?.isInvalidated).toBe(true);
  });

  it("is taken back when the server refuses, and says so", async () => {
    serve({ "PUT /api/v1/titles/a/rating": () => problem(503, "unavailable") });
    render(<Toasts />);
    const { result } = renderHook(() => useRate(card("a")), { wrapper });
    act(() => result.current.mutate({ stars: 5 }));
    await waitFor(() => expect(result.current.isError).toBe(true));
    expect(ratingOf("a")).toBeUndefined();
    expect(await screen.findByText(/Nothing was changed/)).toBeTruthy();
  });
});

describe("a dislike", () => {
  it("takes the title out of every row, and empty rows with it", async () => {
    serve({
      "PUT /api/v1/titles/b/rating": () =>
        json({ average_rating: null, ratings_count: 0, rating_histogram: [], likes: 0, dislikes: 1 }),
    });
    const { result } = renderHook(() => useDislike(card("b")), { wrapper });
    act(() => result.current.mutate());
    await waitFor(() =>
      expect(cached()?.rows.map((one) => one.items.map((item) => item.title.id))).toEqual([["a", "c"]]),
    );
  });

  it("is undone by the message it leaves", async () => {
    const answer = () => json({ average_rating: null, ratings_count: 0, rating_histogram: [], likes: 0, dislikes: 0 });
    const asked = serve({ "PUT /api/v1/titles/b/rating": answer, "DELETE /api/v1/titles/b/rating": answer });
    render(<Toasts />);
    const { result } = renderHook(() => useDislike(card("b")), { wrapper });
    act(() => result.current.mutate());
    const undo = await screen.findAllByRole("button", { name: "Undo" });
    act(() => undo.at(-1)?.click());
    await waitFor(() => expect(count(asked, "DELETE", "/api/v1/titles/b/rating")).toBe(1));
    expect(cached()?.rows).toHaveLength(2);
    expect(ratingOf("b")).toBeUndefined();
  });
});

describe("a dislike of what was rated before", () => {
  const answer = () => json({ average_rating: null, ratings_count: 0, rating_histogram: [], likes: 0, dislikes: 0 });
  const dislike = async () => {
    const { result } = renderHook(() => useDislike(card("b", { my_rating: { stars: 4 } })), { wrapper });
    act(() => result.current.mutate());
    return (await screen.findAllByRole("button", { name: "Undo" })).at(-1);
  };
  beforeEach(() => {
    client.setQueryData<Home>(
      ["home"],
      (old) => mapCards(old, "b", (one) => ({ ...one, my_rating: { stars: 4 } })) as Home,
    );
    render(<Toasts />);
  });

  it("is undone to the stars that were there", async () => {
    const asked = serve({ "PUT /api/v1/titles/b/rating": answer });
    const undo = await dislike();
    act(() => undo?.click());
    await waitFor(() => expect(count(asked, "PUT", "/api/v1/titles/b/rating")).toBe(2));
    expect(JSON.parse(asked.at(-1)?.body ?? "")).toEqual({ stars: 4 });
    expect(ratingOf("b")).toEqual({ stars: 4 });
  });

  it("is undone for that title alone", async () => {
    serve({ "PUT /api/v1/titles/b/rating": answer });
    const undo = await dislike();
    act(() => {
      patchCards(client, "c", (old) => ({ ...old, my_rating: { like: true } }));
    });
    act(() => undo?.click());
    expect(cached()?.rows.map((one) => one.items.map((item) => item.title.id))).toEqual([["a", "b", "c"], ["b"]]);
    expect(ratingOf("c")).toEqual({ like: true });
  });

  it("stays where the undo is refused", async () => {
    serve({
      "PUT /api/v1/titles/b/rating": (_request, call) => (call === 1 ? answer() : problem(503, "unavailable")),
    });
    const undo = await dislike();
    act(() => undo?.click());
    await screen.findByText(/Nothing was changed/);
    expect(ratingOf("b")).toBeUndefined();
  });
});

it("leaves another page as it is when a dislike of the last one is undone", () => {
  const before = home(row("picks", ["a", "b"]));
  const now = { ...home(row("picks", ["c"])), page_id: "other" };
  expect(withTitleOf(now, before, "b")).toBe(now);
});

it("says nothing to the next profile of what the last one did", () => {
  render(<Toasts />);
  act(() => showToast("Heat will not be suggested again."));
  const { result } = renderHook(() => useSwitchProfile(), { wrapper });
  act(() => result.current("p2"));
  expect(screen.queryByText(/Heat/)).toBeNull();
});

describe("the list", () => {
  it("is marked on every card of the title and unmarked on refusal", async () => {
    serve({ "PUT /api/v1/my-list/b": () => problem(500, "internal") });
    const { result } = renderHook(() => useMyList(card("b")), { wrapper });
    act(() => result.current.mutate(true));
    await waitFor(() => expect(result.current.isError).toBe(true));
    expect(cached()?.rows[1]?.items[0]?.title.in_my_list).toBe(false);
  });
});

it("leaves data without the title untouched, so nothing redraws in vain", () => {
  const data = home(row("picks", ["a"]));
  expect(mapCards(data, "z", (old) => ({ ...old, name: "changed" }))).toBe(data);
});
