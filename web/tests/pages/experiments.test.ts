/** Experiments at the curators' desk, in a real browser: read one, stop it, start another. */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { axe, type Stage, stage } from "../support/browser";

let house: Stage;
beforeAll(async () => {
  house = await stage();
});
afterAll(() => house.stop());
beforeEach(() => house.reset());

const bodies = (method: string, path: string) =>
  house.state.calls
    .filter((call: { method: string; path: string }) => call.method === method && call.path === path)
    .map((call: { body: unknown }) => call.body);

it("one is read, stopped, and another one is started", async () => {
  const page = await house.open("/admin/experiments");
  await page.getByText("“Shorter memory” is better than “As it is”: +0.122 plays a viewer").waitFor();
  await page.getByRole("img", { name: "Difference in plays a viewer: +0.122, from +0.013 to +0.231" }).waitFor();
  const create = page.getByRole("button", { name: "New experiment" });
  expect(await create.isDisabled(), "one runs at a time").toBe(true);
  await page.getByRole("button", { name: "Show results: Shorter memory, first look" }).click();
  await page.getByText("188 viewers had more plays from it").waitFor();
  expect(await axe(page)).toEqual([]);
  await page.getByRole("button", { name: "Stop: Shorter memory for evenings" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
  await page.getByText("Shorter memory for evenings is stopped.").waitFor();
  await create.click();
  const dialog = page.getByRole("dialog", { name: "New experiment" });
  await dialog.getByLabel("Name", { exact: true }).fill("A longer one");
  await dialog.getByLabel("What decides").selectOption("finishes");
  await dialog.getByLabel("Share of viewers (%)").fill("20");
  await dialog.getByLabel("Days each viewer is observed").fill("3");
  expect(await axe(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Start" }).click();
  await page.getByText("A longer one runs.").waitFor();
  expect(bodies("POST", "/admin/experiments")).toEqual([
    {
      name: "A longer one",
      method: "ab",
      metric: "finishes",
      guards: ["dislikes"],
      arms: [
        { name: "As it is", model_id: "m4" },
        { name: "The other", model_id: "m3" },
      ],
      share_percent: 20,
      window_hours: 72,
    },
  ]);
  await page.context().close();
});

it("says what it is for where there is none", async () => {
  house.state.experiments = [];
  const page = await house.open("/admin/experiments");
  await page.getByText("No experiment yet").waitFor();
  expect(await axe(page)).toEqual([]);
  await page.context().close();
});
