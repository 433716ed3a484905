/** The thinking of pages: paging, reasons as links, what forms on the first visit, histograms, jobs as they come. */
import { infiniteQueryOptions, QueryClient } from "@tanstack/react-query";
import { describe, expect, it } from "vitest";
import { applyJob, jobOf, jobsQuery } from "@/api/job-feed";
import { browseQuery } from "@/api/queries";
import type { Job } from "@/api/types";
import { linkParts } from "@/components/reason";
import { flatPages } from "@/lib/paging";
import { draftOf } from "@/pages/admin/title-form";
import { decades } from "@/pages/browse";
import { totalOf } from "@/pages/search";
import { wholeStars } from "@/pages/title/opinion";
import { byRole } from "@/pages/title/people";
import { formingRows } from "@/pages/welcome";
import { card } from "../support/data";
import { json, serve } from "../support/server";

describe("cursor paging", () => {
  const pages: Record<string, unknown> = {
    "": { items: [card("a"), card("b")], next_cursor: "two" },
    two: { items: [card("b"), card("c")], next_cursor: "three" },
    three: { items: [card("d")] },
  };

  it("follows the cursor to its end and shows a title once", async () => {
    const asked = serve({
      "GET /api/v1/titles": (request) => json(pages[new URL(request.url).searchParams.get("cursor") ?? ""]),
    });
    const client = new QueryClient();
    const data = await client.fetchInfiniteQuery({ ...browseQuery({ genre: "Drama" }), pages: 9 });
    expect(flatPages(data, (one) => one.id).map((one) => one.id)).toEqual(["a", "b", "c", "d"]);
    expect(asked).toHaveLength(3);
  });

  it("ends when a server repeats its cursor", () => {
    const options = infiniteQueryOptions(browseQuery({}));
    const last = { items: [], next_cursor: "same" };
    expect(options.getNextPageParam(last, [last], "same", ["same"])).toBeUndefined();
  });
});

it("makes the titles in a reason links", () => {
  const because_titles = [
    { id: "h", name: "Heat" },
    { id: "r", name: "Ronin" },
  ];
  expect(
    linkParts({ text: "Because you gave Heat five stars and finished Ronin", because: ["h", "r"], because_titles }),
  ).toEqual(["Because you gave ", because_titles[0], " five stars and finished ", because_titles[1]]);
});

it("forms rows from what was picked, the picked posters first", () => {
  const titles = [card("a", { genres: ["Drama"] }), card("b", { genres: ["Drama"] }), card("c", { genres: ["War"] })];
  const rows = formingRows({ genres: [], titles }, new Set(), new Set(["b"]));
  expect(rows.map(({ genre, cards }) => [genre, cards.map((one) => one.id)])).toEqual([["Drama", ["b", "a"]]]);
});

it("counts what a search found, of the chosen kind, and never less than it shows", () => {
  const facets = {
    genres: [],
    decades: [],
    kinds: [
      { value: "film", count: 300 },
      { value: "series", count: 12 },
    ],
  };
  const answer = { items: [card("a")], facets };
  expect([totalOf(answer), totalOf(answer, "series"), totalOf(answer, "episode")]).toEqual([312, 12, 1]);
});

it("counts half stars with the star they begin", () => {
  const counts = wholeStars([
    { stars: 4.5, count: 2 },
    { stars: 5, count: 3 },
    { stars: 0.5, count: 1 },
  ]);
  expect(counts.map(({ count }) => count)).toEqual([5, 0, 0, 0, 1]);
});

it("lists people as a programme does", () => {
  const people = [
    { id: "1", name: "A", role: "actor" as const },
    { id: "2", name: "D", role: "director" as const },
  ];
  expect(byRole(people).map(([role]) => role)).toEqual(["director", "actor"]);
});

it("offers the decades back to the first films", () => {
  expect(decades(2026)[0]).toEqual({ value: "2020-2029", label: "2020s" });
  expect(decades(2026).at(-1)).toEqual({ value: "-1919", label: "Before 1920" });
});

it("reads a title's form without the fields that were left empty", () => {
  const form = new FormData();
  for (const [name, value] of Object.entries({
    name: " M ",
    year: "",
    genres: "Crime, , Thriller",
    kind: "film",
    description: "",
  }))
    form.set(name, value);
  expect(draftOf(form)).toEqual({
    name: "M",
    kind: "film",
    year: undefined,
    maturity: undefined,
    genres: ["Crime", "Thriller"],
    description: "",
    published: false,
    people: [],
  });
});

describe("jobs as they come", () => {
  const job = (id: string, progress: number): Job => ({
    id,
    kind: "transcode",
    state: "running",
    progress,
    stage: "",
    subject: "M",
    attempts: 1,
    created_at: "2026-11-21T10:00:00Z",
  });

  it("change in place, and new ones go on top", () => {
    const client = new QueryClient();
    client.setQueryData(jobsQuery.queryKey, { pages: [{ items: [job("a", 0.1)] }], pageParams: [undefined] });
    applyJob(client, job("a", 0.6));
    applyJob(client, job("b", 0));
    const shown = flatPages(client.getQueryData(jobsQuery.queryKey), (one) => one.id);
    expect(shown.map((one) => [one.id, one.progress])).toEqual([
      ["b", 0],
      ["a", 0.6],
    ]);
  });

  it("are read from events, and other events are passed over", () => {
    expect(jobOf(JSON.stringify({ type: "job", job: job("a", 0.5) }))?.id).toBe("a");
    expect(jobOf("{}")).toBeUndefined();
    expect(jobOf("not json")).toBeUndefined();
  });
});
