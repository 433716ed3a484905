/** Rows by keyboard: one tab stop, arrows inside, actions below a card, and the same card on return. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { beforeEach, describe, expect, it } from "vitest";
import { CardGrid } from "@/components/card-grid";
import { heirOf } from "@/components/roving";
import { Row, reasonAsHeading } from "@/components/row";
import { focusMemory } from "@/lib/focus-memory";
import { keptIndex, moveInRow } from "@/lib/row-keys";
import { card, row } from "../support/data";

function showPage(component: () => ReactNode) {
  const router = createRouter({ routeTree: createRootRoute({ component }), history: createMemoryHistory() });
  return render(
    <QueryClientProvider client={new QueryClient()}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  );
}

async function show(ids: string[], returned = false) {
  const view = showPage(() => <Row row={row("picks", ids)} returned={returned} />);
  await screen.findByRole("heading", { name: "Row picks" });
  return view;
}

const focused = () => document.activeElement?.getAttribute("aria-label");

beforeEach(() => focusMemory.clear());

describe("a heading that is the reason", () => {
  const because = (text: string, ...names: string[]) => ({
    text,
    because: names,
    because_titles: names.map((name) => ({ id: name, name })),
  });
  const said = (title: string, reason: ReturnType<typeof because>) =>
    reasonAsHeading({ ...row("any", []), title, reason })?.text;

  it("is said once, in the words of the heading", () => {
    expect(said("Because you watched Heat", because("Because you rated Heat five stars", "Heat"))).toBe(
      "Because you watched Heat",
    );
    expect(said("New here", because("New here"))).toBe("New here");
  });

  it("leaves the reason where it says more", () => {
    expect(said("Drama", because("Because you enjoy Drama"))).toBeUndefined();
    expect(said("Because you watched Heat", because("You liked Heat and Ronin", "Heat", "Ronin"))).toBeUndefined();
  });
});

describe("keys", () => {
  it("moves by arrows and stops at the ends", () => {
    expect(moveInRow("ArrowRight", 0, 3, 2)).toEqual({ index: 1 });
    expect(moveInRow("ArrowRight", 2, 3, 2)).toEqual({ index: 2 });
    expect(moveInRow("ArrowLeft", 0, 3, 2)).toEqual({ index: 0 });
    expect(moveInRow("PageDown", 0, 9, 4)).toEqual({ index: 4 });
    expect(moveInRow("End", 0, 9, 4)).toEqual({ index: 8 });
    expect(moveInRow("ArrowDown", 0, 9, 4)).toBe("actions");
    expect(moveInRow("Enter", 0, 9, 4)).toBeUndefined();
  });

  it("turns round where people read from right to left", () => {
    expect(moveInRow("ArrowLeft", 0, 3, 2, true)).toEqual({ index: 1 });
  });

  it("keeps the card, or its place when it has gone", () => {
    expect(keptIndex(["a", "b", "c"], "c", 0)).toBe(2);
    expect(keptIndex(["a", "b"], "c", 2)).toBe(1);
    expect(keptIndex([], "c", 2)).toBe(0);
  });
});

describe("a grid", () => {
  beforeEach(async () => {
    const cards = ["a", "b", "c"].map((id) => card(id));
    await showPage(() => <CardGrid cards={cards} label="Found" />);
    await screen.findByRole("list", { name: "Found" });
  });

  it("is one tab stop, and every action of a card can be reached from it", async () => {
    const user = userEvent.setup();
    await user.tab();
    expect(focused()).toContain("Film a");
    await user.keyboard("{ArrowRight}{ArrowDown}");
    expect(focused()).toBe("Play Film b");
    await user.keyboard("{ArrowRight}{ArrowRight}{ArrowRight}");
    expect(focused()).toBe("Not for me: Film b");
    await user.keyboard("{ArrowUp}");
    expect(focused()).toContain("Film b");
    await user.tab();
    expect(document.activeElement).toBe(document.body);
  });
});

describe("the heir of a card that leaves", () => {
  const links = (html: string) => {
    document.body.innerHTML = `<main id="content">${html}</main>`;
    return (at: number) => document.querySelectorAll<HTMLElement>(".card__link")[at] as HTMLElement;
  };
  const ul = (...ids: string[]) =>
    `<ul>${ids.map((id) => `<li><a class="card__link" data-title="${id}"></a></li>`).join("")}</ul>`;

  it("stands beside it, else in the nearest row, and is never the title itself", () => {
    const link = links(ul("a", "b") + ul("b") + ul("b", "c"));
    expect(heirOf(link(0), "a")).toBe(link(1));
    expect(heirOf(link(1), "b")).toBe(link(0));
    expect(heirOf(link(2), "b")).toBe(link(4));
  });

  it("is the page where nothing else is left", () => {
    const link = links(ul("a"));
    expect(heirOf(link(0), "a")?.id).toBe("content");
  });
});

describe("a row", () => {
  it("is one tab stop", async () => {
    await show(["a", "b", "c"]);
    const stops = document.querySelectorAll('.row a[tabindex="0"], .row button[tabindex="0"]');
    expect(stops).toHaveLength(1);
  });

  it("moves the focus with the arrows and takes the tab stop along", async () => {
    const user = userEvent.setup();
    await show(["a", "b", "c"]);
    await user.tab();
    expect(focused()).toContain("Film a");
    await user.keyboard("{ArrowRight}{ArrowRight}");
    expect(focused()).toContain("Film c");
    expect(document.activeElement?.getAttribute("tabindex")).toBe("0");
  });

  it("opens a card's actions with down, moves among them, and returns with up", async () => {
    const user = userEvent.setup();
    await show(["a", "b"]);
    await user.tab();
    await user.keyboard("{ArrowDown}");
    expect(focused()).toBe("Play Film a");
    await user.keyboard("{ArrowRight}");
    expect(focused()).toBe("Add Film a to My List");
    await user.keyboard("{ArrowUp}");
    expect(focused()).toContain("Film a");
  });

  it("gives the focus back to the card that was opened", async () => {
    const user = userEvent.setup();
    const first = await show(["a", "b", "c"]);
    await user.tab();
    await user.keyboard("{ArrowRight}{Enter}");
    first.unmount();
    await show(["a", "b", "c"], true);
    expect(focused()).toContain("Film b");
  });
});
