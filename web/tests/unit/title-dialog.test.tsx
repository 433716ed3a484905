/** The form of a title: never open without what it would save, and only what was changed is sent. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import type { AdminTitle } from "@/api/types";
import { TitleDialog } from "@/pages/admin/title-dialog";
import { card } from "../support/data";
import { type Asked, json, problem, serve } from "../support/server";

const title: AdminTitle = { ...card("t1"), published: true };
const whole = { ...title, description: "A thief\r\nand a detective.", people: [] };
const unmarked = { duration_s: 6000, chapters: [], chapters_edited: false };

function show(edited: AdminTitle | undefined, onClose = vi.fn()) {
  const root = createRootRoute({ component: () => <TitleDialog title={edited} onClose={onClose} /> });
  const router = createRouter({ routeTree: root, history: createMemoryHistory() });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <QueryClientProvider client={client}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  );
  return onClose;
}

const sent = (asked: Asked[]) => asked.filter((one) => one.method === "PATCH").map((one) => JSON.parse(one.body));

describe("a title's form", () => {
  it("does not open while its description could not be read, and opens with it after a retry", async () => {
    const asked = serve({
      "GET /api/v1/admin/titles/t1": (_request, call) => (call === 1 ? problem(503, "unavailable") : json(whole)),
      "PATCH /api/v1/admin/titles/t1": () => json(title),
    });
    const user = userEvent.setup();
    const closed = show(title);
    await screen.findByText("Unavailable.");
    expect(screen.queryByLabelText("Description")).toBeNull();
    await user.click(screen.getByRole("button", { name: "Try again" }));
    const description = await screen.findByLabelText<HTMLTextAreaElement>("Description");
    expect(description.value.replace("\r\n", "\n")).toBe("A thief\nand a detective.");
    await user.clear(screen.getByLabelText("Name"));
    await user.type(screen.getByLabelText("Name"), "Heat");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(closed).toHaveBeenCalled());
    expect(sent(asked)).toEqual([{ name: "Heat" }]);
  });

  it("takes away a year and a maturity that are emptied, and hides what is not published", async () => {
    const asked = serve({
      "GET /api/v1/admin/titles/t1": () => json(whole),
      "PATCH /api/v1/admin/titles/t1": () => json(title),
    });
    const user = userEvent.setup();
    const closed = show(title);
    await user.clear(await screen.findByLabelText("Year"));
    await user.clear(screen.getByLabelText("Maturity (age)"));
    await user.click(screen.getByRole("switch", { name: "Published" }));
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(closed).toHaveBeenCalled());
    expect(sent(asked)).toEqual([{ year: null, maturity: null, published: false }]);
  });

  it("says when a title appears and goes, in the curator's own time, and takes it back", async () => {
    const publish_at = new Date("2030-05-01T20:15").toISOString();
    const unpublish_at = new Date("2030-06-01T00:00:30").toISOString();
    const asked = serve({
      "GET /api/v1/admin/titles/t1": () => json({ ...whole, published: false, publish_at, unpublish_at }),
      "PATCH /api/v1/admin/titles/t1": () => json(title),
    });
    const user = userEvent.setup();
    for (const [appears, goes, said] of [
      ["2030-05-02T08:00", "2030-06-01T00:00", [{ publish_at: new Date("2030-05-02T08:00").toISOString() }]],
      ["2030-05-01T20:15", "", [{ unpublish_at: null }]],
      ["", "", [{ publish_at: null, unpublish_at: null }]],
      ["2030-05-01T20:15", "2030-06-01T00:00", []],
    ] as const) {
      asked.length = 0;
      const closed = show(title);
      const from = await screen.findByLabelText<HTMLInputElement>("Appears at");
      const until = screen.getByLabelText<HTMLInputElement>("Goes at");
      expect([from.value, until.value]).toEqual(["2030-05-01T20:15", "2030-06-01T00:00"]);
      fireEvent.change(from, { target: { value: appears } });
      fireEvent.change(until, { target: { value: goes } });
      await user.click(screen.getByRole("button", { name: "Save" }));
      await waitFor(() => expect(closed).toHaveBeenCalled());
      expect(sent(asked)).toEqual(said);
      cleanup();
    }
  });

  it("says where the end credits begin, takes it back, and is silent where nothing was said", async () => {
    const video = { ...unmarked, credits_at_s: 5530.25 };
    const asked = serve({
      "GET /api/v1/admin/titles/t1": () => json({ ...whole, video }),
      "PATCH /api/v1/admin/titles/t1/video": () => json(video),
    });
    const user = userEvent.setup();
    for (const [typed, said] of [
      ["1:35:00", [{ credits_at_s: 5700 }]],
      ["", [{ credits_at_s: null }]],
      ["1:32:10", []],
    ] as const) {
      asked.length = 0;
      const closed = show(title);
      const field = await screen.findByLabelText<HTMLInputElement>("End credits begin at");
      expect(field.value).toBe("1:32:10");
      await user.clear(field);
      if (typed) await user.type(field, typed);
      await user.click(screen.getByRole("button", { name: "Save" }));
      await waitFor(() => expect(closed).toHaveBeenCalled());
      expect(sent(asked)).toEqual(said);
      cleanup();
    }
  });

  it("keeps a time that is none, and says what the server has against one", async () => {
    const asked = serve({
      "GET /api/v1/admin/titles/t1": () => json({ ...whole, video: unmarked }),
      "PATCH /api/v1/admin/titles/t1/video": () => problem(400, "marker_invalid"),
    });
    const user = userEvent.setup();
    const closed = show(title);
    const field = await screen.findByLabelText<HTMLInputElement>("End credits begin at");
    await user.type(field, "ninety");
    expect(field.validationMessage).toBe("Write it as the player shows it, such as 1:42:10.");
    await user.clear(field);
    await user.type(field, "2:00:00");
    expect(field.validationMessage).toBe("");
    await user.type(screen.getByLabelText("Name"), "!");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await screen.findByText("marker_invalid");
    // What was refused comes first: nothing is half saved.
    expect(sent(asked)).toEqual([{ credits_at_s: 7200 }]);
    expect(closed).not.toHaveBeenCalled();
  });

  it("asks for no credits where nothing plays", async () => {
    serve({ "GET /api/v1/admin/titles/t1": () => json(whole) });
    show(title);
    await screen.findByLabelText("Description");
    expect(screen.queryByLabelText("End credits begin at")).toBeNull();
    expect(screen.queryByRole("button", { name: "Add a chapter" })).toBeNull();
  });

  const marked = (video: object) =>
    serve({
      "GET /api/v1/admin/titles/t1": () => json({ ...whole, video: { ...unmarked, ...video } }),
      "PATCH /api/v1/admin/titles/t1/video": () => json({ ...unmarked, ...video }),
    });
  const save = async (user: ReturnType<typeof userEvent.setup>, closed: ReturnType<typeof vi.fn>) => {
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(closed).toHaveBeenCalled());
  };

  it("says from where to where the opening lasts, and takes it back; what is not touched stays exact", async () => {
    const intro = { start_s: 61.5, end_s: 92.25 };
    const asked = marked({ intro });
    const user = userEvent.setup();
    for (const [from, to, said] of [
      ["1:01", "1:45", [{ intro: { start_s: 61.5, end_s: 105 } }]],
      ["0:00", "1:32", [{ intro: { start_s: 0, end_s: 92.25 } }]],
      ["", "", [{ intro: null }]],
      ["1:01", "1:32", []],
    ] as const) {
      asked.length = 0;
      const closed = show(title);
      const begins = await screen.findByLabelText<HTMLInputElement>("Opening begins at");
      const ends = screen.getByLabelText<HTMLInputElement>("Opening ends at");
      expect([begins.value, ends.value]).toEqual(["1:01", "1:32"]);
      for (const [field, text] of [
        [begins, from],
        [ends, to],
      ] as const) {
        await user.clear(field);
        if (text) await user.type(field, text);
      }
      await save(user, closed);
      expect(sent(asked)).toEqual(said);
      cleanup();
    }
  });

  it("wants both ends of an opening, one after the other", async () => {
    marked({});
    const user = userEvent.setup();
    show(title);
    const begins = await screen.findByLabelText<HTMLInputElement>("Opening begins at");
    const ends = screen.getByLabelText<HTMLInputElement>("Opening ends at");
    for (const [from, to, says] of [
      ["1:00", "", ["", "Say where it begins and where it ends, or neither."]],
      ["", "1:00", ["", "Say where it begins and where it ends, or neither."]],
      ["1:00", "1:00", ["", "It ends after it has begun."]],
      ["soon", "1:00", ["Write it as the player shows it, such as 1:42:10.", ""]],
      ["1:00", "late", ["", "Write it as the player shows it, such as 1:42:10."]],
      ["0:59", "1:00", ["", ""]],
    ] as const) {
      await user.clear(begins);
      await user.clear(ends);
      if (from) await user.type(begins, from);
      if (to) await user.type(ends, to);
      expect([begins.validationMessage, ends.validationMessage]).toEqual(says);
    }
  });

  const own = [
    { start_s: 0, name: "The letter" },
    { start_s: 1207.5, name: null },
  ];

  it("names chapters, adds and takes out, and sends all in order with all else of the video", async () => {
    const asked = marked({ chapters: own });
    const user = userEvent.setup();
    const closed = show(title);
    await user.type(await screen.findByLabelText("Name of chapter 2"), "The crossing");
    for (const [time, name] of [
      ["1:00:00", "The harbour"],
      ["10:00", ""],
      ["1:30:00", "Never"],
    ] as const) {
      await user.click(screen.getByRole("button", { name: "Add a chapter" }));
      const at = screen.getAllByLabelText(/^Time of chapter/).length;
      await user.type(screen.getByLabelText(`Time of chapter ${at}`), time);
      if (name) await user.type(screen.getByLabelText(`Name of chapter ${at}`), name);
    }
    await user.click(screen.getByRole("button", { name: "Take out Never" }));
    expect(document.activeElement?.textContent).toBe("Add a chapter");
    // A line without anything is none.
    await user.click(screen.getByRole("button", { name: "Add a chapter" }));
    await user.type(screen.getByLabelText("End credits begin at"), "1:35:00");
    await save(user, closed);
    expect(sent(asked)).toEqual([
      {
        credits_at_s: 5700,
        chapters: [
          { start_s: 0, name: "The letter" },
          { start_s: 600, name: null },
          { start_s: 1207.5, name: "The crossing" },
          { start_s: 3600, name: "The harbour" },
        ],
      },
    ]);
  });

  it("says what is the matter with a chapter, and is silent where none was touched", async () => {
    const asked = marked({ chapters: own });
    const user = userEvent.setup();
    const closed = show(title);
    const time = await screen.findByLabelText<HTMLInputElement>("Time of chapter 2");
    expect(time.value).toBe("20:07");
    for (const [typed, says] of [
      ["", ""],
      ["noon", "Write it as the player shows it, such as 1:42:10."],
      ["1:40:00", "The video ends at 1:40:00."],
      ["0:00", "Another chapter begins there."],
      ["20:07", ""],
    ] as const) {
      await user.clear(time);
      if (typed) await user.type(time, typed);
      expect(time.validationMessage).toBe(says);
    }
    expect(screen.queryByRole("button", { name: "Take the file’s own chapters" })).toBeNull();
    await save(user, closed);
    expect(sent(asked)).toEqual([]);
    // With a name alone it is not known when.
    show(title);
    await user.click(await screen.findByRole("button", { name: "Add a chapter" }));
    await user.type(screen.getByLabelText("Name of chapter 3"), "When?");
    expect(screen.getByLabelText<HTMLInputElement>("Time of chapter 3").validationMessage).not.toBe("");
  });

  it("takes back what was said of chapters by hand, unless it is thought over", async () => {
    const asked = marked({ chapters: own, chapters_edited: true });
    const user = userEvent.setup();
    let closed = show(title);
    await user.click(await screen.findByRole("button", { name: "Take the file’s own chapters" }));
    expect(screen.queryByLabelText("Time of chapter 1")).toBeNull();
    await user.click(screen.getByRole("button", { name: "Keep the ones typed here" }));
    await save(user, closed);
    expect(sent(asked)).toEqual([]);
    cleanup();
    closed = show(title);
    await user.click(await screen.findByRole("button", { name: "Take the file’s own chapters" }));
    await screen.findByText("The file’s own chapters come back when you save.");
    await save(user, closed);
    expect(sent(asked)).toEqual([{ chapters: null }]);
  });

  it("names people, gives them roles and takes them out", async () => {
    const people = [
      { id: "1", name: "Al Pacino", role: "actor" },
      { id: "2", name: "Nobody", role: "writer" },
    ];
    const asked = serve({
      "GET /api/v1/admin/titles/t1": () => json({ ...whole, people }),
      "PATCH /api/v1/admin/titles/t1": () => json(title),
    });
    const user = userEvent.setup();
    const closed = show(title);
    await user.click(await screen.findByRole("button", { name: "Take out Nobody" }));
    expect(document.activeElement?.textContent).toBe("Add a person");
    await user.click(screen.getByRole("button", { name: "Add a person" }));
    await user.type(screen.getByLabelText("Name of person 2"), "Michael Mann");
    await user.selectOptions(screen.getByLabelText("Role of person 2"), "director");
    await user.click(screen.getByRole("button", { name: "Add a person" }));
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(closed).toHaveBeenCalled());
    expect(sent(asked)).toEqual([
      {
        people: [
          { name: "Al Pacino", role: "actor" },
          { name: "Michael Mann", role: "director" },
        ],
      },
    ]);
  });

  it("sends a picture at once, and asks for the drawn one again", async () => {
    const asked = serve({
      "GET /api/v1/admin/titles/t1": () => json(whole),
      "PUT /api/v1/admin/titles/t1/artwork/poster": () => json({ ...title, poster_url: "/art/t1/2/poster" }),
      "DELETE /api/v1/admin/titles/t1/artwork/poster": () => json({ ...title, poster_url: "/art/t1/3/poster" }),
    });
    const user = userEvent.setup();
    show(title);
    const picture = new File([new Uint8Array(8)], "heat.png", { type: "image/png" });
    await user.upload(await screen.findByLabelText("Choose a poster"), picture);
    await waitFor(() => expect(document.querySelector('img[src="/art/t1/2/poster"]')).toBeTruthy());
    await user.click(screen.getByRole("button", { name: "Draw the poster" }));
    await waitFor(() => expect(document.querySelector('img[src="/art/t1/3/poster"]')).toBeTruthy());
    const ofThePicture = asked.filter((one) => !one.path.endsWith("/subtitles"));
    expect(ofThePicture.map((one) => one.method)).toEqual(["GET", "PUT", "DELETE"]);
  });

  it("makes an episode of a series that is found by its name", async () => {
    const series = { ...title, id: "s1", name: "Dekalog", kind: "series" };
    const asked = serve({
      "GET /api/v1/admin/titles": () => json({ items: [series] }),
      "POST /api/v1/admin/titles": () => json(title, 201),
    });
    const user = userEvent.setup();
    const closed = show(undefined);
    await user.selectOptions(await screen.findByLabelText("Kind"), "episode");
    await screen.findByRole("option", { name: "Dekalog (1927)" });
    await user.type(screen.getByLabelText("Name"), "Three");
    await user.clear(screen.getByLabelText("Episode"));
    await user.type(screen.getByLabelText("Episode"), "3");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(closed).toHaveBeenCalled());
    const made = JSON.parse(asked.find((one) => one.method === "POST")?.body ?? "");
    expect(made).toMatchObject({ kind: "episode", place: { series_id: "s1", season: 1, episode: 3 }, published: true });
  });

  it("sends nothing where nothing was changed", async () => {
    const asked = serve({ "GET /api/v1/admin/titles/t1": () => json(whole) });
    const closed = show(title);
    await userEvent.click(await screen.findByRole("button", { name: "Save" }));
    await waitFor(() => expect(closed).toHaveBeenCalled());
    expect(sent(asked)).toEqual([]);
  });
});
