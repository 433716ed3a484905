/** The form of a title: never open without what it would save, and only what was changed is sent. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import type { AdminTitle } from "@/api/types";
import { TitleDialog } from "@/pages/admin/title-dialog";
import { card } from "../support/data";
import { type Asked, json, problem, serve } from "../support/server";

const title: AdminTitle = { ...card("t1"), published: true };
const whole = { ...title, description: "A thief\r\nand a detective.", people: [] };

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

  it("sends nothing where nothing was changed", async () => {
    const asked = serve({ "GET /api/v1/admin/titles/t1": () => json(whole) });
    const closed = show(title);
    await userEvent.click(await screen.findByRole("button", { name: "Save" }));
    await waitFor(() => expect(closed).toHaveBeenCalled());
    expect(sent(asked)).toEqual([]);
  });
});
