/** What people do, in a real browser: log in, move through home by keyboard, dislike and undo, return, search, play. */
import { copyFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { axe, type Stage, stage, testStream } from "../support/browser";
import { settled } from "../support/settled.mjs";

let house: Stage;
let media: string;
beforeAll(async () => {
  media = testStream();
  // The same film under another signature.
  symlinkSync(media, join(media, "again"));
  house = await stage({ media });
});
afterAll(() => house.stop());
beforeEach(() => {
  house.reset();
  house.state.stream = "/media/film/master.m3u8";
});

/** Addresses that the page asked for with this method, in their order. */
const calls = (method: string): string[] =>
  house.state.calls
    .filter((call: { method: string }) => call.method === method)
    .map((call: { path: string }) => call.path);

describe("the door", () => {
  it("asks who is nobody to log in, then goes on to the page that was asked for", async () => {
    house.state.signedIn = false;
    const page = await house.open("/my-list");
    await page.waitForURL(/\/login\?next=/);
    await page.getByLabel("E-mail").fill("ada@example.org");
    await page.getByLabel("Password", { exact: true }).fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("do not match").waitFor();
    await page.getByLabel("Password", { exact: true }).fill("a long enough sentence");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "My List" }).waitFor();
    await page.context().close();
  });

  it("asks who is watching where there are several and none was chosen", async () => {
    const page = await house.open("/", { profile: null });
    await page.getByRole("button", { name: "Emil" }).click();
    await page.getByRole("heading", { name: "Top picks for Ada" }).waitFor();
    expect(await page.evaluate(() => localStorage.getItem("kinora.profile"))).toBe("p2");
    await page.context().close();
  });

  it.each(["/watch/t3", "/video?id=t3"])("asks who is watching before %s plays", async (address) => {
    const page = await house.open(address, { profile: null });
    await page.waitForURL(`${house.url}/profiles?next=%2Fwatch%2Ft3`);
    // A player of the test before may still be telling how it went; nothing else was asked for.
    expect(calls("POST").filter((path) => !path.endsWith("/quality"))).toEqual([]);
    await page.getByRole("button", { name: "Emil" }).click();
    await page.waitForURL(`${house.url}/watch/t3`);
    await expect.poll(() => calls("POST")).toContain("/playback");
    await page.context().close();
  });

  it.each(["/watch/t3", "/my-list"])("asks who is watching %s when the profile is gone", async (address) => {
    const page = await house.open(address, { profile: "p9" });
    await page.waitForURL((url) => url.pathname === "/profiles" && url.searchParams.get("next") === address);
    // Exactly: the header, until it goes, has a button with more words.
    await page.getByRole("button", { name: "Ada", exact: true }).click();
    await page.waitForURL(house.url + address);
    expect(await page.evaluate(() => localStorage.getItem("kinora.profile"))).toBe("p1");
    await page.context().close();
  });

  it("does not lead to another house, whatever a link asks for", async () => {
    const page = await house.open("/profiles?next=//evil.example/%3F");
    await page.getByRole("button", { name: "Emil" }).click();
    await page.getByRole("heading", { name: "Top picks for Ada" }).waitFor();
    expect(page.url()).toBe(`${house.url}/`);
    await page.context().close();
  });

  it.each([
    ["/homepage", "/"],
    ["/content?id=t3", "/title/t3"],
    ["/video?id=t3", "/watch/t3"],
  ])("knows the older address %s", async (from, to) => {
    const page = await house.open(from);
    await page.waitForURL(house.url + to);
    await page.context().close();
  });
});

describe("home", () => {
  it("is walked by keyboard, and gives the card back on return", async () => {
    const page = await house.open("/");
    const row = page.getByRole("region", { name: "Top picks for Ada" });
    await row.getByRole("link", { name: "Sunrise" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "City Lights" }).waitFor();
    await page.goBack();
    await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label")?.startsWith("City Lights"));
    expect(
      await page.evaluate(() => document.activeElement?.closest("section")?.querySelector("h2")?.textContent),
    ).toBe("Top picks for Ada");
    await page.context().close();
  });

  it("takes a dislike away at once and brings it back on undo", async () => {
    const page = await house.open("/");
    const row = page.getByRole("region", { name: "Top picks for Ada" });
    const card = row.getByRole("link", { name: /^City Lights/ });
    await card.hover();
    await row.getByRole("button", { name: "Not for me: City Lights" }).click();
    await card.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await card.waitFor();
    await expect.poll(() => calls("DELETE")).toEqual(["/titles/t7/rating"]);
    expect(house.state.ratings.size).toBe(0);
    await page.context().close();
  });

  it("takes a dislike by keyboard, stays beside it, and undoes it from the message", async () => {
    house.state.ratings.set("t7", { stars: 4 });
    const page = await house.open("/");
    const row = page.getByRole("region", { name: "Top picks for Ada" });
    const card = row.getByRole("link", { name: /^City Lights/ });
    const focus = (name: string) =>
      page.waitForFunction((start) => document.activeElement?.getAttribute("aria-label")?.startsWith(start), name);
    await row.getByRole("link", { name: "Sunrise" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    await focus("Play City Lights");
    for (let press = 0; press < 3; press += 1) await page.keyboard.press("ArrowRight");
    await focus("Not for me: City Lights");
    await page.keyboard.press("Enter");
    await card.waitFor({ state: "detached" });
    await focus("M (1931)");
    await page.getByRole("button", { name: "Undo" }).focus();
    await page.keyboard.press("Enter");
    await card.waitFor();
    await focus("M (1931)");
    await expect.poll(() => house.state.ratings.get("t7")).toEqual({ stars: 4 });
    await page.context().close();
  });

  it("says why on the card", async () => {
    const page = await house.open("/");
    const row = page.getByRole("region", { name: "Top picks for Ada" });
    await row.getByRole("link", { name: /^City Lights/ }).hover();
    await row.getByRole("button", { name: "Why City Lights?" }).click();
    await row.getByText("Because you gave").first().waitFor();
    expect(await axe(page)).toEqual([]);
    await page.context().close();
  });
});

describe("the invitation to rate three films", () => {
  it("stands above the rows of a new viewer, and goes with the third rating", async () => {
    const page = await house.open("/", { profile: "p2" });
    const invitation = page.getByRole("complementary", { name: "Make this page yours" });
    await invitation.waitFor();
    for (const title of ["t5", "t7", "t9"]) {
      await page.goto(`${house.url}/title/${title}`);
      await page.getByRole("radio", { name: "4 stars" }).click();
      await page.getByText("Your rating is saved.").waitFor();
    }
    await page.goto(house.url);
    await page.getByRole("heading", { name: "Top picks for Ada" }).waitFor();
    expect(await invitation.count()).toBe(0);
    await page.context().close();
  });
});

describe("home as it loads", () => {
  it("does not move", async () => {
    const page = await house.open("/");
    await page.getByRole("heading", { name: "Top picks for Ada" }).waitFor();
    await settled(page);
    const shift = await page.evaluate(() => {
      const observer = new PerformanceObserver(() => undefined);
      observer.observe({ type: "layout-shift", buffered: true });
      const entries = observer.takeRecords() as (PerformanceEntry & { value: number })[];
      return entries.reduce((sum, entry) => sum + entry.value, 0);
    });
    expect(shift).toBeLessThan(0.05);
    await page.context().close();
  });

  it("says what is wrong, with a reference, and tries again", async () => {
    house.state.failing.set("GET /home", 403);
    const page = await house.open("/");
    await page.getByText("Reference: 01fixture").waitFor();
    expect(await axe(page)).toEqual([]);
    house.state.failing.clear();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "Trending now" }).waitFor();
    await page.context().close();
  });

  it("invites where there is nothing yet", async () => {
    house.state.home = { page_id: "h", rows: [] };
    const page = await house.open("/");
    await page.getByText("Rate three films and this page becomes yours.").waitFor();
    expect(await axe(page)).toEqual([]);
    await page.context().close();
  });
});

describe("a title", () => {
  it("takes stars at once, and gives them back when the server refuses", async () => {
    const page = await house.open("/title/t5");
    const four = page.getByRole("radio", { name: "4 stars" });
    await four.click();
    await page.getByText("Your rating is saved.").waitFor();
    expect(house.state.ratings.get("t5")).toEqual({ stars: 4 });
    house.state.failing.set("PUT /titles/t5/rating", 500);
    await page.getByRole("radio", { name: "1 star" }).click();
    await page.getByText("Nothing was changed").waitFor();
    await page.waitForFunction(
      () => (document.querySelector('input[type="radio"][value="4"]') as HTMLInputElement).checked,
    );
    await page.context().close();
  });
});

describe("search", () => {
  it("answers as one types", async () => {
    const page = await house.open("/search");
    await page.getByRole("searchbox").pressSequentially("metro");
    await page.waitForURL(/q=metro/);
    await page.getByText("1 title", { exact: true }).first().waitFor();
    await page.getByRole("link", { name: "Metropolis (1927)" }).click();
    await page.getByRole("heading", { level: 1, name: "Metropolis" }).waitFor();
    await page.context().close();
  });
});

describe("search among many", () => {
  it("says how many there are, not how many are shown", async () => {
    house.state.searchMax = 5;
    const page = await house.open("/search?q=the");
    await page.getByText(/^The first 5 of \d\d titles$/).waitFor();
    await page.context().close();
  });
});

describe("the player", () => {
  const moving = "document.querySelector('video').currentTime > 0.3";

  it("plays, obeys the keyboard, and tells the server where it is", async () => {
    const page = await house.open("/watch/t3");
    await page.waitForFunction(moving);
    await page.keyboard.press("l");
    await page.waitForFunction("document.querySelector('video').currentTime > 9");
    await page.keyboard.press("k");
    await page.waitForFunction("document.querySelector('video').paused");
    expect(await axe(page)).toEqual([]);
    await expect.poll(() => house.state.positions.at(-1)?.state).toBe("paused");
    expect(house.state.positions.map((one: { state: string }) => one.state)).toContain("playing");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    expect(await axe(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByText("360p", { exact: true }).waitFor();
    expect(await axe(page)).toEqual([]);
    await page.context().close();
  });

  it("names the episode that a series goes on with", async () => {
    const page = await house.open("/watch/t16");
    await page.getByRole("heading", { level: 1, name: "A day in Odessa" }).waitFor({ state: "attached" });
    await page.getByText("Man with a Movie Camera, Season 1, episode 2").waitFor({ state: "attached" });
    await page.waitForFunction(() => document.title.startsWith("Man with a Movie Camera – S1 E2 A day in Odessa"));
    await page.context().close();
  });

  it("misses no key, however quickly they come", async () => {
    const page = await house.open("/watch/t3");
    await page.waitForFunction(moving);
    for (let turn = 0; turn < 12; turn += 1) {
      await page.keyboard.press("l");
      await page.keyboard.press("k");
      await page.waitForFunction(`document.querySelector('video').paused === ${turn % 2 === 0}`);
    }
    await page.context().close();
  });

  it("resumes where it stopped and offers to start over", async () => {
    house.state.resumeAt = 110;
    const page = await house.open("/watch/t3");
    await page.waitForFunction("document.querySelector('video').currentTime >= 110");
    await page.getByRole("button", { name: "Start over" }).click();
    await page.waitForFunction("document.querySelector('video').currentTime < 60");
    await page.context().close();
  });

  it("reports its place when the page goes away", async () => {
    const page = await house.open("/watch/t3");
    await page.waitForFunction("document.querySelector('video').currentTime > 1");
    await page.goto(`${house.url}/art/t1/1/poster`);
    await expect.poll(() => house.state.positions.at(-1)?.state).toBe("paused");
  });

  it("shows the next title near the end and goes on with it", async () => {
    house.state.nextTitle = "t4";
    const page = await house.open("/watch/t3");
    await page.waitForFunction(moving);
    await page.keyboard.press("9");
    await page.getByText("Up next", { exact: true }).waitFor();
    expect(await axe(page)).toEqual([]);
    await page.getByRole("link", { name: "Play now" }).click();
    await page.waitForURL(/\/watch\/t4/);
    await page.context().close();
  });

  it("asks what one thought at the end", async () => {
    const page = await house.open("/watch/t3");
    await page.waitForFunction(moving);
    await page.keyboard.press("End");
    await page.getByRole("heading", { name: "That was it" }).waitFor();
    expect(await axe(page)).toEqual([]);
    await page.context().close();
  });

  it("goes on after a pause in which its addresses ended, without a word", async () => {
    const page = await house.open("/watch/t3");
    await page.waitForFunction(moving);
    await page.keyboard.press("k");
    await page.waitForFunction("document.querySelector('video').paused");
    await page.evaluate(() => {
      const seen = () => document.querySelector(".player__trouble") && document.body.setAttribute("data-troubled", "");
      new MutationObserver(seen).observe(document.body, { childList: true, subtree: true });
      document.querySelector("video")?.setAttribute("data-first", "");
    });
    // Much later: what was signed then is good no more.
    house.state.ended.push("/media/film/");
    house.state.stream = "/media/again/film/master.m3u8";
    await page.keyboard.press("8");
    await page.keyboard.press("k");
    await page.waitForFunction("document.querySelector('video[data-first]').currentTime > 145");
    expect(await page.locator("[data-troubled]").count()).toBe(0);
    expect(calls("POST").filter((path) => path === "/playback")).toHaveLength(2);
    await expect.poll(() => house.state.positions.at(-1)?.session).toBe("s-t3-2");
    await page.context().close();
  });

  it("says in words when the film does not arrive", async () => {
    house.state.stream = "/media/film/none.m3u8";
    const page = await house.open("/watch/t3");
    await page.getByRole("heading", { name: "The film does not arrive" }).waitFor();
    expect(await axe(page)).toEqual([]);
    await page.context().close();
  });

  it("plays a film that arrives after all", async () => {
    house.state.stream = "/media/film/late.m3u8";
    const page = await house.open("/watch/t3");
    await page.getByRole("heading", { name: "The film does not arrive" }).waitFor();
    copyFileSync(join(media, "film/master.m3u8"), join(media, "film/late.m3u8"));
    // The player keeps trying by itself, so the button may be gone already.
    await page.evaluate(() =>
      [...document.querySelectorAll("button")].find((button) => button.textContent === "Try again")?.click(),
    );
    await page.waitForFunction(moving);
    expect(await page.getByRole("heading", { name: "The film does not arrive" }).count()).toBe(0);
    await page.context().close();
  });
});
