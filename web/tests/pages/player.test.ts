/** The player with a film as the house packages one: what it loads and when, its menus, its keys, and what it says of itself. */
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Stage, stage } from "../support/browser";
import { encryptedFilm, FILM_S, filmAnswer, testFilm } from "../support/film";

let house: Stage;
let folder: string;
beforeAll(async () => {
  folder = testFilm();
  // The same film under another signature.
  symlinkSync(folder, join(folder, "again"));
  house = await stage({ media: folder });
});
afterAll(() => house.stop());
beforeEach(() => {
  house.reset();
  house.state.stream = filmAnswer.hls_url;
  house.state.playback = { ...filmAnswer };
});

const HAVE_CURRENT_DATA = 2;
const video = "document.querySelector('video')";
const plays = async (page: Page) => {
  await page.waitForFunction(`${video}?.currentTime > 0.3`);
  return page;
};
const watch = async (path = "/watch/t3") => plays(await house.open(path));
const time = (page: Page): Promise<number> => page.evaluate(`${video}.currentTime`);
const lines = (page: Page) => page.locator(".subtitles");
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const radio = (page: Page, name: string) => page.getByRole("radio", { name, exact: true });

/** Addresses under `/media/` that the page has asked for by now, without what stands before the last slash. */
function media(page: Page): string[] {
  const asked: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/media/")) asked.push(pathname.split("/").at(-1) ?? "");
  });
  return asked;
}

describe("starting", () => {
  it("loads the player when a hand comes near, and asks for the film when it presses", async () => {
    const page = await house.open("/");
    const scripts: string[] = [];
    page.on("request", (request) => scripts.push(new URL(request.url()).pathname));
    const play = page
      .getByRole("region", { name: "Metropolis" })
      .getByRole("link", { name: /^Resume|^Play/ })
      .first();
    await play.hover();
    await expect.poll(() => scripts.some((path) => /\/hls-.*\.js$/.test(path))).toBe(true);
    expect(scripts.some((path) => /\/watch-.*\.js$/.test(path))).toBe(true);
    const presses = () => house.state.calls.filter(({ path }: { path: string }) => path === "/playback").length;
    expect(presses()).toBe(0);
    await play.click();
    await plays(page);
    expect(presses()).toBe(1);
    await page.context().close();
  });

  it.each([
    [false, "is there before anybody presses"],
    [true, "comes with a hand, where data is to be saved"],
  ])("on a title's page, data saved: %s, the player %s", async (saves) => {
    const page = await house.open("/");
    await page.addInitScript(`Object.defineProperty(navigator, "connection", { value: { saveData: ${saves} } })`);
    const scripts: string[] = [];
    page.on("request", (request) => scripts.push(new URL(request.url()).pathname));
    const loaded = () => scripts.some((path) => /\/hls-.*\.js$/.test(path));
    await page.goto(`${house.url}/title/t3`);
    const play = page.locator(".title__actions").getByRole("link", { name: /^Resume|^Play/ });
    await play.waitFor();
    await page.waitForLoadState("networkidle");
    expect(loaded()).toBe(!saves);
    await play.hover();
    await expect.poll(loaded).toBe(true);
    expect(house.state.calls.some(({ path }: { path: string }) => path === "/playback")).toBe(false);
    await page.context().close();
  });

  it("begins with the lowest rung, and climbs", async () => {
    const page = await house.open("/");
    const asked = media(page);
    await page.goto(`${house.url}/watch/t3`);
    await plays(page);
    await expect.poll(() => asked.includes("high-3.m4s")).toBe(true);
    const pictures = asked.filter((name) => /^(low|high)-\d+\.m4s$/.test(name));
    expect(pictures[0]).toBe("low-0.m4s");
    expect(asked).not.toContain("fr-0.m4s");
    await page.context().close();
  });
});

describe("subtitles", () => {
  it("come and go with C, in the language of last time, and are remembered", async () => {
    const page = await watch();
    await page.keyboard.press("c");
    await lines(page).getByText("Mind the lamp, it is hot.").waitFor();
    await button(page, "Subtitles and sound").click();
    await radio(page, "Deutsch").click();
    await lines(page).getByText("Vorsicht, die Lampe ist heiß.").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("c");
    await lines(page).getByText("LONDON, 1900").waitFor();
    await page.keyboard.press("c");
    await lines(page).getByText("Vorsicht").waitFor();
    await page.reload();
    await lines(page).getByText("Vorsicht").waitFor();
    await page.context().close();
  });

  it("of signs and foreign words come by themselves, in the language that is heard", async () => {
    const page = await watch();
    await lines(page).getByText("LONDON, 1900").waitFor();
    await button(page, "Subtitles and sound").click();
    await radio(page, "Français, 5.1").click();
    await lines(page).waitFor({ state: "detached" });
    await page.context().close();
  });

  it("keep their italics, and stand where the film asks for", async () => {
    const page = await watch();
    await page.keyboard.press("c");
    await page.keyboard.press("2");
    await page.locator(".player__upper").getByText("Who", { exact: true }).waitFor();
    expect(await page.locator(".player__upper i").textContent()).toBe("Who");
    expect(await page.locator(".player__lower .subtitles").count()).toBe(0);
    await page.context().close();
  });

  it("look as the viewer likes, on this device", async () => {
    const page = await watch();
    await page.keyboard.press("c");
    await lines(page).waitFor();
    const letters = () =>
      lines(page)
        .first()
        .evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize));
    const before = await letters();
    await button(page, "Subtitles and sound").click();
    await button(page, "How subtitles look").click();
    for (const name of ["Very large", "Yellow", "Solid", "Outline"])
      await page.getByText(name, { exact: true }).click();
    expect(await letters()).toBeCloseTo(before * 1.75, 0);
    await page.reload();
    await lines(page).waitFor();
    expect(await letters()).toBeCloseTo(before * 1.75, 0);
    const drawn = await lines(page).evaluate((element) => ({
      colour: getComputedStyle(element).color,
      behind: getComputedStyle(element.querySelector("span") as Element).backgroundColor,
    }));
    expect(drawn).toEqual({ colour: "rgb(255, 228, 92)", behind: "rgb(0, 0, 0)" });
    await page.context().close();
  });

  it("are asked for anew where their address has run out", async () => {
    const page = await watch();
    // Only the files of the lines: of the film enough is there.
    house.state.ended.push("/media/film/de.vtt");
    const subtitles = filmAnswer.subtitles.map((one) => ({ ...one, url: one.url.replace("/film/", "/again/film/") }));
    house.state.playback = { ...filmAnswer, subtitles, hls_url: "/media/again/film/master.m3u8" };
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await button(page, "Subtitles and sound").click();
    await radio(page, "Deutsch").click();
    await lines(page).getByText("Vorsicht").waitFor();
    expect(house.state.presses).toBe(2);
    asked.length = 0;
    // The film goes along: the place of the first showing may be the new one's.
    await page.keyboard.press("Escape");
    await page.keyboard.press("9");
    await page.waitForFunction(`${video}.currentTime > 108.3`);
    const pieces = asked.filter((path) => path.endsWith(".m4s"));
    expect(pieces.length).toBeGreaterThan(0);
    expect(pieces.filter((path) => !path.startsWith("/media/again/"))).toEqual([]);
    expect(await page.locator(".player__trouble").count()).toBe(0);
    await page.context().close();
  });
});

describe("sound", () => {
  it("changes to another track, and begins in its language the next time", async () => {
    const page = await watch();
    const asked = media(page);
    await button(page, "Subtitles and sound").click();
    await radio(page, "Français, 5.1").click();
    await expect.poll(() => asked.some((name) => /^fr-\d+\.m4s$/.test(name))).toBe(true);
    await page.waitForFunction(`${video}.readyState >= 3`);
    asked.length = 0;
    await page.reload();
    await plays(page);
    expect(asked.filter((name) => name.startsWith("fr-")).length).toBeGreaterThan(0);
    expect(asked.filter((name) => /^(en|talk)-\d+\.m4s$/.test(name))).toEqual([]);
    await page.context().close();
  });

  it("of a commentary is for this film alone", async () => {
    const page = await watch();
    await button(page, "Subtitles and sound").click();
    await radio(page, "Commentary by the director").click();
    await page.waitForFunction(() =>
      document
        .querySelector<HTMLInputElement>('input[name="audio"]:checked')
        ?.closest("label")
        ?.textContent?.includes("Commentary"),
    );
    await page.reload();
    await plays(page);
    await button(page, "Subtitles and sound").click();
    expect(await radio(page, "English").last().isChecked()).toBe(true);
    await page.context().close();
  });
});

describe("the bar", () => {
  it("shows what is there before one goes, with the chapter's name", async () => {
    const page = await watch();
    const bar = page.getByRole("slider", { name: "Position" });
    const box = await bar.boundingBox();
    await bar.hover({ position: { x: (box?.width ?? 0) / 2, y: 5 } });
    await page.locator(".seek__tip").getByText("The handle").waitFor();
    const picture = page.locator(".seek__picture image");
    const [x, y] = [Number(await picture.getAttribute("x")), Number(await picture.getAttribute("y"))];
    // The thirteenth of five a row.
    expect([x, y]).toEqual([-320, -180]);
    expect(await picture.getAttribute("href")).toBe(`${house.url}/media/film/board.jpg`);
    await page.context().close();
  });

  it("goes where a hand lets go, not everywhere on the way", async () => {
    const page = await watch();
    await page.keyboard.press("k");
    await page.evaluate(`window.jumps = 0; window.landings = 0;
      ${video}.addEventListener("seeking", () => { window.jumps += 1; });
      ${video}.addEventListener("seeked", () => { window.landings += 1; })`);
    const box = await page.getByRole("slider", { name: "Position" }).boundingBox();
    if (!box) throw new Error("no bar");
    const at = (fraction: number) => page.mouse.move(box.x + box.width * fraction, box.y + box.height / 2);
    await at(0.1);
    await page.mouse.down();
    for (const fraction of [0.3, 0.5, 0.7, 0.75]) await at(fraction);
    await page.mouse.up();
    // The position is the new one before anybody is told of the jump.
    await page.waitForFunction(`window.landings > 0 && Math.abs(${video}.currentTime - ${FILM_S * 0.75}) < 2`);
    expect(await page.evaluate("window.jumps")).toBe(1);
    await page.context().close();
  });

  it("shows where a hand points from the start of a segment, which no picture comes before", async () => {
    const page = await watch();
    await page.keyboard.press("k");
    const box = await page.getByRole("slider", { name: "Position" }).boundingBox();
    if (!box) throw new Error("no bar");
    await page.mouse.click(box.x + box.width * 0.763, box.y + box.height / 2);
    await page.waitForFunction(`!${video}.seeking && ${video}.currentTime > 80`);
    // The hand is at 91.6 s, give or take the knob; segments are two seconds long.
    expect(await page.evaluate(`${video}.currentTime`)).toBeCloseTo(92, 1);
    await page.context().close();
  });

  it("is walked by keys, and says where one is in words", async () => {
    const page = await watch();
    await page.keyboard.press("k");
    await page.keyboard.press("0");
    const bar = page.getByRole("slider", { name: "Position" });
    await bar.focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(`${video}.currentTime === 5`);
    await page.keyboard.press("PageUp");
    await page.waitForFunction(`${video}.currentTime === 65`);
    await expect.poll(() => bar.getAttribute("aria-valuetext")).toBe("1:05 of 2:00, The handle");
    await page.keyboard.press("Home");
    // All in one turn of the page, as from a key that is held.
    await bar.evaluate((element) => {
      for (let turn = 0; turn < 4; turn += 1)
        element.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
    });
    await page.waitForFunction(`${video}.currentTime === 20`);
    await page.locator(".seek__tip").waitFor();
    await page.context().close();
  });

  it("has a way for who does not drag: chapters and steps", async () => {
    const page = await watch();
    await page.keyboard.press("k");
    await button(page, "Chapters").click();
    await page.getByRole("button", { name: /^The cards fly/ }).click();
    await page.waitForFunction(`${video}.currentTime === 75`);
    await page.keyboard.press("Escape");
    await button(page, "Back 10 seconds").click();
    await page.waitForFunction(`${video}.currentTime === 65`);
    await button(page, "Forward 10 seconds").click();
    await page.waitForFunction(`${video}.currentTime === 75`);
    await page.context().close();
  });
});

describe("keys", () => {
  it("show one picture after the other", async () => {
    const page = await watch();
    await page.keyboard.press(".");
    await page.waitForFunction(`${video}.paused && !${video}.seeking`);
    const before = await time(page);
    await page.keyboard.press(".");
    await page.waitForFunction(`Math.abs(${video}.currentTime - ${before} - 1 / 24) < 0.001`);
    await page.keyboard.press(",");
    await page.keyboard.press(",");
    await page.waitForFunction(`Math.abs(${video}.currentTime - ${before} + 1 / 24) < 0.001`);
    await page.context().close();
  });

  it("move the film, its sound and its pace", async () => {
    const page = await watch();
    await page.keyboard.press("k");
    await page.keyboard.press("5");
    await page.waitForFunction(`${video}.paused && !${video}.seeking && ${video}.currentTime > 50`);
    const press = (key: string, becomes: string) =>
      page.keyboard.press(key).then(() => page.waitForFunction(`Math.abs(${becomes}) < 0.001`));
    for (const [key, by] of [["ArrowRight", 5], ["ArrowLeft", -5], ["l", 10], ["j", -10]] as const) {
      await press(key, `${video}.currentTime - ${await time(page)} - ${by}`);
    }
    await press("ArrowDown", `${video}.volume - 0.95`);
    await press("ArrowUp", `${video}.volume - 1`);
    await press("m", `${video}.muted - true`);
    await press("m", `${video}.muted - false`);
    await press(">", `${video}.playbackRate - 1.25`);
    await press("<", `${video}.playbackRate - 1`);
    await button(page, "Settings").click();
    await radio(page, "1.5×").click();
    await page.waitForFunction(`${video}.playbackRate === 1.5`);
    await page.context().close();
  });

  it("of one letter can be switched off, and stay so", async () => {
    const page = await watch();
    await page.keyboard.press("?");
    await page.getByRole("switch", { name: "Keys of one letter, digit or sign" }).click();
    await page.keyboard.press("Escape");
    await page.reload();
    await plays(page);
    await page.keyboard.press("9");
    await page.keyboard.press("k");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(`${video}.currentTime > 5`);
    expect(await page.evaluate(`${video}.paused`)).toBe(false);
    expect(await time(page)).toBeLessThan(60);
    expect(await button(page, "Mute").getAttribute("aria-keyshortcuts")).toBe(null);
    await page.context().close();
  });
});

describe("the system", () => {
  it("knows what plays, and its keys do what they say", async () => {
    house.state.nextTitle = "e1-3";
    const page = await house.open("/");
    await page.addInitScript(() => {
      const handlers: Record<string, MediaSessionActionHandler | null> = {};
      Object.assign(window, { handlers });
      const set = MediaSession.prototype.setActionHandler;
      MediaSession.prototype.setActionHandler = function (action, handler) {
        handlers[action] = handler;
        set.call(this, action, handler);
      };
    });
    await page.goto(`${house.url}/watch/t16`);
    await plays(page);
    await page.waitForFunction("navigator.mediaSession.metadata?.title === 'A day in Odessa'");
    expect(await page.evaluate("navigator.mediaSession.metadata.artist")).toBe("Man with a Movie Camera");
    expect(await page.evaluate("navigator.mediaSession.metadata.artwork.length")).toBe(2);
    expect(await page.evaluate("navigator.mediaSession.playbackState")).toBe("playing");
    const press = (action: string, details = {}) =>
      page.evaluate(`window.handlers.${action}({ action: "${action}", ...${JSON.stringify(details)} })`);
    await press("pause");
    await page.waitForFunction(`${video}.paused && navigator.mediaSession.playbackState === "paused"`);
    await press("seekto", { seekTime: 50 });
    await press("seekforward", { seekOffset: 7 });
    await press("seekbackward");
    await page.waitForFunction(`${video}.currentTime === 47`);
    await press("previoustrack");
    await page.waitForFunction(`${video}.currentTime === 0`);
    await press("play");
    await page.waitForFunction(`!${video}.paused`);
    await press("nexttrack");
    await page.waitForURL(/\/watch\/e1-3$/);
    await page.context().close();
  });

  it("shows the film in a window of its own, and takes it back", async () => {
    const page = await watch();
    await button(page, "Picture in picture").click();
    await page.waitForFunction(`document.pictureInPictureElement === ${video}`);
    expect(await button(page, "Picture in picture").getAttribute("aria-pressed")).toBe("true");
    await page.keyboard.press("i");
    await page.waitForFunction("document.pictureInPictureElement === null");
    await page.context().close();
  });

  it("keeps the screen lit while something plays, and only then", async () => {
    const page = await house.open("/");
    await page.addInitScript(() => {
      const locks: WakeLockSentinel[] = [];
      Object.assign(window, { locks });
      const request = WakeLock.prototype.request;
      WakeLock.prototype.request = async function (kind) {
        const lock = await request.call(this, kind);
        locks.push(lock);
        return lock;
      };
    });
    await page.goto(`${house.url}/watch/t3`);
    await plays(page);
    await page.waitForFunction("window.locks.filter((lock) => !lock.released).length === 1");
    await page.keyboard.press("k");
    await page.waitForFunction("window.locks.every((lock) => lock.released)");
    await page.context().close();
  });
});

describe("a film that is stored encrypted", () => {
  const openFilm = async (key: "right" | "missing" | "wrong" | "misread") => {
    house.state.playback = { ...filmAnswer, hls_url: encryptedFilm(folder, `${key}-key`, key) };
    return house.open("/watch/t3");
  };

  it("plays, goes on from anywhere, and climbs", async () => {
    const page = await openFilm("right");
    await plays(page);
    await page.evaluate(`${video}.currentTime = 80`);
    await page.waitForFunction(`${video}.currentTime > 80.3 && !${video}.seeking`);
    await expect.poll(() => page.evaluate(`${video}.videoHeight`)).toBe(360);
    await page.context().close();
  });

  it.each(["missing", "wrong", "misread"] as const)("says what is the matter where its key is %s", async (key) => {
    const page = await openFilm(key);
    const trouble = page.getByRole("alert");
    await trouble.getByRole("heading", { name: "This film cannot be unlocked" }).waitFor();
    await trouble.getByRole("button", { name: "Try again" }).waitFor();
    expect(await page.evaluate<number>(`${video}.readyState`)).toBeLessThan(HAVE_CURRENT_DATA);
    await page.context().close();
  });
});
