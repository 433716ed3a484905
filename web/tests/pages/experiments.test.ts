/** Experiments at the curators' desk, in a real browser: read one, stop it, start another. */
import type { Locator } from "playwright-core";
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

const hasFocus = (control: Locator) => control.evaluate((element) => element === document.activeElement);

/** As somebody does who has no mouse. */
async function press(control: Locator) {
  await control.focus();
  await control.press("Enter");
}

it("one is read, stopped, and another one is started", async () => {
  const page = await house.open("/admin/experiments");
  await page.getByText("“Shorter memory” is better than “As it is”: +0.122 plays a viewer").waitFor();
  const difference = "Difference in plays per viewer, “Shorter memory” compared with “As it is”";
  await page.getByRole("img", { name: `${difference}: +0.122, from +0.013 to +0.231` }).waitFor();
  await page.getByText("Decided by plays per viewer; must not get worse: dislikes.").waitFor();
  const create = page.getByRole("button", { name: "New experiment" });
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

it("leaves the keyboard where it was when results open and close, and says what they say", async () => {
  const page = await house.open("/admin/experiments");
  const name = "Shorter memory, first look";
  const found = page.getByText("188 viewers had more plays from it");
  await press(page.getByRole("button", { name: `Show results: ${name}`, expanded: false }));
  await found.waitFor();
  const hide = page.getByRole("button", { name: `Hide results: ${name}`, expanded: true });
  expect(await hasFocus(hide), "after opening").toBe(true);
  await page
    .getByRole("status")
    .filter({ hasText: `${name}: Better` })
    .waitFor();
  await hide.press("Enter");
  await found.waitFor({ state: "detached" });
  expect(await hasFocus(page.getByRole("button", { name: `Show results: ${name}` })), "after closing").toBe(true);
  await page.context().close();
});

it("goes on at what was stopped, and at the button where another was started", async () => {
  const page = await house.open("/admin/experiments");
  const stop = page.getByRole("button", { name: "Stop: Shorter memory for evenings" });
  await press(stop);
  await press(page.getByRole("dialog").getByRole("button", { name: "Stop" }));
  await stop.waitFor({ state: "detached" });
  expect(await hasFocus(page.getByRole("heading", { name: "Shorter memory for evenings" })), "stopped").toBe(true);
  await page.getByRole("status").filter({ hasText: "Shorter memory for evenings is stopped." }).waitFor();
  const create = page.getByRole("button", { name: "New experiment" });
  await press(create);
  const dialog = page.getByRole("dialog", { name: "New experiment" });
  await dialog.getByLabel("Name", { exact: true }).fill("A longer one");
  await press(dialog.getByRole("button", { name: "Start" }));
  await page.getByRole("status").filter({ hasText: "A longer one runs." }).waitFor();
  await page.getByRole("button", { name: "Stop: A longer one" }).waitFor();
  expect(await hasFocus(create), "started").toBe(true);
  await page.context().close();
});

it("says beside the button why none can be started, to eyes and to screen readers", async () => {
  const page = await house.open("/admin/experiments");
  const advice = page.getByText("Only one experiment runs at a time. To start another, stop it first.");
  await advice.waitFor();
  const create = page.getByRole("button", { name: "New experiment", disabled: true });
  expect(await create.getAttribute("aria-describedby")).toBe(await advice.getAttribute("id"));
  await press(create);
  expect(await hasFocus(create), "it can be reached").toBe(true);
  expect(await page.getByRole("dialog").count(), "and does nothing").toBe(0);
  await page.getByRole("button", { name: "Stop: Shorter memory for evenings" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
  await advice.waitFor({ state: "detached" });
  const free = page.getByRole("button", { name: "New experiment", disabled: false });
  expect(await free.getAttribute("aria-describedby")).toBeNull();
  await page.context().close();
});

it("stays at the button where stopping failed", async () => {
  house.state.failing.set("POST /admin/experiments/x2/stop", 503);
  const page = await house.open("/admin/experiments");
  const stop = page.getByRole("button", { name: "Stop: Shorter memory for evenings" });
  await press(stop);
  await press(page.getByRole("dialog").getByRole("button", { name: "Stop" }));
  await page.getByRole("status").filter({ hasText: "Nothing was changed." }).waitFor();
  expect(await hasFocus(stop)).toBe(true);
  await page.context().close();
});

it("warns where one runs that viewers do not get, for as long as they do not", async () => {
  const listed = await fetch(`${house.url}/api/v1/admin/experiments`);
  const { items } = await listed.json();
  const problem = "the model cannot be used";
  const page = await house.open("/admin/experiments");
  await page.clock.install();
  await page.reload();
  const row = (name: string) => page.getByRole("article").filter({ has: page.getByRole("heading", { name }) });
  await row("Shorter memory, first look").waitFor();
  const warning = page.getByRole("alert");
  expect(await warning.count(), "nothing is wrong").toBe(0);
  house.state.experiments = [{ ...items[0], problem }, items[1]];
  await page.clock.fastForward(16_000);
  await warning.waitFor();
  const inRow = row("Shorter memory for evenings").getByRole("alert");
  expect(await inRow.allInnerTexts()).toEqual([`Viewers do not get this experiment at present: ${problem}`]);
  expect(await warning.count(), "and nowhere else").toBe(1);
  expect(await axe(page)).toEqual([]);
  house.state.experiments = items;
  await page.clock.fastForward(16_000);
  await warning.waitFor({ state: "detached" });
  await page.context().close();
});

it("explains each choice of the form, and its fields keep their shape", async () => {
  house.state.experiments = [];
  const page = await house.open("/admin/experiments");
  await page.getByRole("button", { name: "New experiment" }).click();
  const dialog = page.getByRole("dialog", { name: "New experiment" });
  const method = dialog.getByLabel("Method");
  const hint = page.locator(`[id="${await method.getAttribute("aria-describedby")}"]`);
  expect(await hint.innerText()).toContain("Half of those who take part get the pages of one model");
  await method.selectOption("interleaving");
  expect(await hint.innerText()).toContain("All who take part get Top Picks mixed of both models");
  expect(await axe(page)).toEqual([]);
  const height = async (label: string) => (await dialog.getByLabel(label).boundingBox())?.height;
  expect(await height("Share of viewers (%)")).toBe(await height("Days each viewer is observed"));
  await page.context().close();
});

it("has room for names that are one long word, also on a phone", async () => {
  const listed = await fetch(`${house.url}/api/v1/admin/experiments`);
  const { items } = await listed.json();
  const name = "Kurzzeitgedächtnisverbesserungsversuchsreihe".padEnd(80, "n");
  house.state.experiments = [{ ...items[0], name, arms: items[0].arms.map((arm: object) => ({ ...arm, name })) }];
  const page = await house.open("/admin/experiments", { viewport: { width: 360, height: 780 } });
  await page.getByRole("heading", { name }).waitFor();
  await page.getByRole("img", { name: "Difference in plays" }).waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
  await page.context().close();
});

it("says what it is for where there is none", async () => {
  house.state.experiments = [];
  const page = await house.open("/admin/experiments");
  await page.getByText("No experiment yet").waitFor();
  expect(await axe(page)).toEqual([]);
  await page.context().close();
});
