/** Every page in a real browser: axe finds nothing, one h1, no sideways scroll at 360, 1280 and 3840. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { axe, type Stage, stage } from "../support/browser";
import { settled } from "../support/settled.mjs";

let house: Stage;
beforeAll(async () => {
  house = await stage();
});
afterAll(() => house.stop());
beforeEach(() => house.reset());

const PAGES = [
  ["/login", "Welcome back"],
  ["/register", "Take a seat"],
  ["/setup?token=abc", "Opening night"],
  ["/profiles", "Who is watching?"],
  ["/welcome", "Make this page yours"],
  ["/", "Top picks for Ada"],
  ["/title/t3", "Metropolis"],
  ["/title/t16", "Machines at noon"],
  ["/title/nothing", "This title does not exist"],
  ["/watch/t3", "There is no film here yet"],
  ["/together/open", "Ben is watching Metropolis"],
  ["/together/open-full", "Every seat is taken"],
  ["/together/gone", "This party is over"],
  ["/search", "Start with a genre"],
  ["/search?q=the", "The General"],
  ["/search?q=zzz", "Nothing for"],
  ["/browse", "Metropolis"],
  ["/browse?genre=Horror", "Nosferatu"],
  ["/my-list", "The Kid Brother"],
  ["/profile", "Safety Last!"],
  ["/profile/ratings", "Frankenstein"],
  ["/profile/preferences", "Genres you love"],
  ["/profile/security", "Chrome on Linux"],
  ["/admin/titles", "Nosferatu"],
  ["/admin/import", "MovieTweetings"],
  ["/admin/jobs", "2 films are being prepared"],
  ["/admin/models", "ndcg@20 over time"],
  ["/admin/experiments", "Shorter memory for evenings"],
  ["/admin/users", "vera@example.org"],
  ["/nowhere", "There is nothing at this address"],
] as const;

const SIZES = [
  [1280, 800],
  [360, 780],
  [3840, 2160],
] as const;

async function judge(page: Page) {
  await settled(page);
  const sideways = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(sideways, "scrolls sideways").toBeLessThanOrEqual(0);
  expect(await page.locator("h1").count(), "one h1").toBe(1);
  expect(await axe(page)).toEqual([]);
}

it.each(PAGES)("%s", async (path, words) => {
  const page = await house.open(path);
  await page.getByText(words).locator("visible=true").first().waitFor();
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height });
    await judge(page);
  }
  await page.context().close();
});

it("home under a finger", async () => {
  const page = await house.open("/", { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true });
  await page.getByRole("button", { name: "Actions for Metropolis" }).first().tap();
  await page.getByRole("dialog", { name: "Metropolis" }).waitFor();
  await judge(page);
  await page.context().close();
});
