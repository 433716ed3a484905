/** Every page in a real browser: axe finds nothing, one h1, no sideways scroll at 360, 1280 and 3840. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { axe, type Stage, stage } from "../support/browser";

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
  ["/search", "Start with a genre"],
  ["/search?q=the", "The General"],
  ["/search?q=zzz", "Nothing for"],
  ["/browse?genre=Horror", "Nosferatu"],
  ["/my-list", "The Kid Brother"],
  ["/profile", "Safety Last!"],
  ["/profile/ratings", "Frankenstein"],
  ["/profile/preferences", "Genres you love"],
  ["/profile/security", "Chrome on Linux"],
  ["/admin/titles", "Nosferatu"],
  ["/admin/import", "MovieTweetings"],
  ["/admin/jobs", "encoding 720p"],
  ["/admin/models", "ndcg@10 over time"],
  ["/admin/users", "vera@example.org"],
  ["/nowhere", "There is nothing at this address"],
] as const;

describe.each(PAGES)("%s", (path, words) => {
  it.each([360, 1280, 3840])("at %i", async (width) => {
    const page = await house.open(path, {
      viewport: { width, height: width > 3000 ? 2160 : 800 },
      hasTouch: width === 360,
    });
    await page.getByText(words).locator("visible=true").first().waitFor();
    await page.waitForLoadState("networkidle");
    const sideways = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(sideways, "scrolls sideways").toBeLessThanOrEqual(0);
    expect(await page.locator("h1").count(), "one h1").toBe(1);
    expect(await axe(page)).toEqual([]);
    await page.context().close();
  });
});
