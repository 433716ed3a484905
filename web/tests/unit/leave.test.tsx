/** Logging out: only the server can end a session, so the page stays until it has. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  RouterProvider,
} from "@tanstack/react-router";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { chosenProfile } from "@/api/profile-choice";
import { useLeave } from "@/app/session";
import { Toasts } from "@/components/toast";
import { count, problem, serve } from "../support/server";

function Page() {
  const leave = useLeave();
  return (
    <>
      <button type="button" onClick={() => leave()}>
        here
      </button>
      <button type="button" onClick={() => leave(true)}>
        everywhere
      </button>
      <Toasts />
    </>
  );
}

beforeEach(async () => {
  const root = createRootRoute();
  const home = createRoute({ getParentRoute: () => root, path: "/", component: Page });
  const door = createRoute({ getParentRoute: () => root, path: "/login", component: () => <h1>Door</h1> });
  const router = createRouter({ routeTree: root.addChildren([home, door]), history: createMemoryHistory() });
  chosenProfile.set("p1");
  render(
    <QueryClientProvider client={new QueryClient()}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  );
  await screen.findByRole("button", { name: "here" });
});

const gone = () => new Response(null, { status: 204 });

describe("logging out", () => {
  it("stays and says so while the server does not agree, and leaves on a retry", async () => {
    const asked = serve({
      "POST /api/v1/auth/logout": (_request, call) => (call === 1 ? problem(503, "unavailable") : gone()),
    });
    await userEvent.click(screen.getByRole("button", { name: "here" }));
    await screen.findByText(/still logged in/);
    expect(chosenProfile.get()).toBe("p1");
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByRole("heading", { name: "Door" });
    expect(count(asked, "POST", "/api/v1/auth/logout")).toBe(2);
    expect(chosenProfile.get()).toBeUndefined();
  });

  it("everywhere stays too", async () => {
    serve({
      "POST /api/v1/auth/logout-all": () => {
        throw new TypeError("network");
      },
    });
    await userEvent.click(screen.getByRole("button", { name: "everywhere" }));
    await screen.findByText(/Nobody was logged out/);
  });

  it("leaves where the session is over already", async () => {
    serve({
      "POST /api/v1/auth/logout-all": () => problem(401, "unauthenticated"),
      "POST /api/v1/auth/refresh": () => problem(401, "refresh_invalid"),
    });
    await userEvent.click(screen.getByRole("button", { name: "everywhere" }));
    await screen.findByRole("heading", { name: "Door" });
  });
});
