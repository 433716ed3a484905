/** A showing from its opening to the next one: what is skipped, what comes by itself, and what the house is told. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Stage, stage } from "../support/browser";
import { filmAnswer, testFilm } from "../support/film";

let house: Stage;
beforeAll(async () => {
  house = await stage({ media: testFilm() });
});
afterAll(() => house.stop());
beforeEach(() => {
  house.reset();
  house.state.stream = filmAnswer.hls_url;
  house.state.playback = { ...filmAnswer };
});

const video = "document.querySelector('video')";
const plays = async (page: Page) => {
  await page.waitForFunction(`${video}?.currentTime > 0.3`);
  return page;
};
const watch = async (path = "/watch/t3", options = {}) => plays(await house.open(path, options));
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

interface Report {
  session: string;
  startup_s?: number;
  stalls_s: number[];
  switches: number;
  errors: { kind: string; count: number }[];
  watched_s: number;
  ended: boolean;
}
const reports = (): Report[] => house.state.quality;

describe("the opening", () => {
  it("is skipped by whoever likes to, while it lasts", async () => {
    house.state.playback.intro = { start_s: 0, end_s: 40 };
    const page = await watch();
    await button(page, "Skip intro").click();
    await page.waitForFunction(`${video}.currentTime >= 40`);
    await button(page, "Skip intro").waitFor({ state: "detached" });
    await page.context().close();
  });
});

describe("the next episode", () => {
  beforeEach(() => {
    house.state.nextTitle = "e1-3";
    house.state.playback.credits_at_s = 100;
  });
  const card = (page: Page) => page.getByRole("region", { name: "Up next" });

  it("counts down in the credits, and starts by itself", async () => {
    const page = await watch("/watch/t16");
    expect(await card(page).count()).toBe(0);
    await page.keyboard.press("9");
    await card(page)
      .getByRole("timer")
      .getByText(/Starts in \d+ s/)
      .waitFor();
    await page.keyboard.press("End");
    await page.waitForURL(/\/watch\/e1-3$/);
    await page.context().close();
  });

  it("goes on over the whole screen", async () => {
    const page = await watch("/watch/t16");
    await page.keyboard.press("f");
    await page.waitForFunction("document.fullscreenElement !== null");
    await page.keyboard.press("9");
    await card(page).getByRole("link", { name: "Play now" }).click();
    await page.waitForURL(/\/watch\/e1-3$/);
    await plays(page);
    expect(await page.evaluate("document.fullscreenElement !== null")).toBe(true);
    await page.context().close();
  });

  it("waits where somebody wants the credits, and is offered after them", async () => {
    const page = await watch("/watch/t16");
    await page.keyboard.press("9");
    await button(page, "Watch the credits").click();
    await page.keyboard.press("End");
    await page.getByRole("heading", { name: "That was it" }).waitFor();
    await page.getByRole("link", { name: "Next episode" }).click();
    await page.waitForURL(/\/watch\/e1-3$/);
    await page.context().close();
  });

  it("waits for a press where it should not start by itself", async () => {
    const page = await watch("/watch/t16");
    await button(page, "Settings").click();
    await page.getByRole("switch", { name: "Next episode starts by itself" }).click();
    await page.keyboard.press("Escape");
    await page.keyboard.press("End");
    await card(page).waitFor();
    await page.waitForFunction(`${video}.ended`);
    expect(await card(page).getByRole("timer").count()).toBe(0);
    await card(page).getByRole("link", { name: "Play now" }).click();
    await page.waitForURL(/\/watch\/e1-3$/);
    await page.context().close();
  });
});

describe("a film that is left", () => {
  const left = () => house.state.positions.at(-1);
  it.each([
    ["by its button", (page: Page) => button(page, "Leave the player").click()],
    ["with Escape", (page: Page) => page.keyboard.press("Escape")],
  ])("%s keeps its place", async (_how, leave) => {
    const page = await watch();
    await page.keyboard.press("5");
    await page.waitForFunction(`${video}.currentTime > 60.3 && !${video}.seeking`);
    await leave(page);
    await page.waitForURL((url) => !url.pathname.startsWith("/watch"));
    await expect.poll(() => left()?.state).toBe("paused");
    expect(left().position_s).toBeGreaterThan(60);
    expect(left().position_s).toBeLessThan(90);
    await page.context().close();
  });
});

describe("how it goes", () => {
  it("is shown to who asks", async () => {
    const page = await watch();
    await button(page, "Settings").click();
    await page.getByRole("switch", { name: "Playback statistics" }).click();
    await page.keyboard.press("Escape");
    const figures = page.getByRole("region", { name: "Playback statistics" });
    await figures.getByText("640 × 360, rung 2 of 2").waitFor();
    for (const name of [
      "Line",
      "In advance",
      "Pictures dropped",
      "Changes of quality",
      "Stalls",
      "First picture after",
    ])
      await figures.getByText(name, { exact: true }).waitFor();
    await figures.getByRole("button", { name: "Close" }).click();
    await figures.waitFor({ state: "detached" });
    await page.context().close();
  });

  it("is told to the house once at the end, with the time to the first picture", async () => {
    // A title of its own: what the page before is still saying is not counted.
    const page = await watch("/watch/t16");
    const own = () => reports().filter(({ session }) => session === "s-t16");
    await page.waitForFunction(`${video}.currentTime > 1`);
    await button(page, "Leave the player").click();
    await page.waitForURL(`${house.url}/`);
    await expect.poll(() => own().filter(({ ended }) => ended).length).toBe(1);
    const report = own()[0];
    expect(report?.startup_s).toBeGreaterThan(0);
    expect(report?.startup_s).toBeLessThan(12);
    expect(report?.watched_s).toBeGreaterThan(0.5);
    expect(report?.errors).toEqual([]);
    await page.context().close();
  });

  it("is told when the page is closed as well", async () => {
    const page = await watch();
    await page.goto(`${house.url}/art/t1/1/poster`);
    await expect.poll(() => reports().filter(({ ended }) => ended).length).toBe(1);
    await page.context().close();
  });

  it("counts a stall that nobody asked for, and no jump", async () => {
    const page = await house.open("/");
    let release = () => {};
    const released = new Promise<void>((done) => {
      release = done;
    });
    // From the fourth segment on nothing arrives, until it may.
    await page.route(/\/(low|high)-([3-9]|\d\d)\.m4s$/, async (route) => {
      await released;
      await route.continue();
    });
    await page.goto(`${house.url}/watch/t3`);
    await page.waitForFunction(`${video}?.currentTime > 5 && ${video}.readyState < 3`);
    release();
    await page.waitForFunction(`${video}.currentTime > 7`);
    await page.keyboard.press("8");
    await page.waitForFunction(`${video}.currentTime > 96.5`);
    await page.goto(`${house.url}/art/t1/1/poster`);
    await expect.poll(() => reports().at(-1)?.ended).toBe(true);
    const stalls = reports().flatMap(({ stalls_s }) => stalls_s);
    expect(stalls).toHaveLength(1);
    expect(stalls[0]).toBeGreaterThan(0);
    await page.context().close();
  });

  it("names what went wrong", async () => {
    house.state.playback.hls_url = "/media/film/none.m3u8";
    const page = await house.open("/watch/t3");
    await page.getByRole("heading", { name: "The film does not arrive" }).waitFor();
    await page.goto(`${house.url}/art/t1/1/poster`);
    await expect.poll(() => reports().at(-1)?.ended).toBe(true);
    expect(reports().flatMap(({ errors }) => errors)[0]).toMatchObject({ kind: "network" });
    await page.context().close();
  });
});

it("says which screens stop a film, and plays on once there is a place", async () => {
  const page = await watch();
  house.state.crowded.push("/media/");
  await page.keyboard.press("9");
  await page.getByRole("heading", { name: "Too many screens at once" }).waitFor();
  house.state.crowded.length = 0;
  await button(page, "Try again").click();
  await plays(page);
  expect(house.state.presses).toBe(2);
  await page.context().close();
});

describe("a refusal says what to do", () => {
  it.each([
    [503, "The house is full right now"],
    [429, "The house is full right now"],
    [403, "Not for this profile"],
  ])("%d: %s", async (status, words) => {
    house.state.failing.set("POST /playback", status);
    const page = await house.open("/watch/t3");
    await page.getByRole("heading", { name: words }).waitFor();
    house.state.failing.clear();
    await button(page, "Try again").click();
    await plays(page);
    await page.context().close();
  });
});
