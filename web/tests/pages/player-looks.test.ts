/** The player to the eye, the finger and the ear: axe with every menu open, nothing on top of anything, large enough, named. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { axe, type Stage, stage } from "../support/browser";
import { filmAnswer, testFilm } from "../support/film";
import { settled } from "../support/settled.mjs";

let house: Stage;
beforeAll(async () => {
  house = await stage({ media: testFilm() });
});
afterAll(() => house.stop());
beforeEach(() => {
  house.reset();
  house.state.stream = filmAnswer.hls_url;
  house.state.nextTitle = "e1-3";
  house.state.playback = { ...filmAnswer, intro: { start_s: 0, end_s: 19 }, credits_at_s: 100 };
});

const PHONE = { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true };
const SIZES = [
  ["phone", PHONE],
  ["window", { viewport: { width: 1280, height: 800 } }],
  ["television", { viewport: { width: 3840, height: 2160 } }],
] as const;

const video = "document.querySelector('video')";
/** Paused, so that the controls stay. */
async function watch(options: object): Promise<Page> {
  const page = await house.open("/watch/t16", options);
  await page.waitForFunction(`${video}?.currentTime > 0.3`);
  await page.keyboard.press("k");
  await button(page, "Play").first().waitFor();
  return page;
}
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).locator("visible=true");

/** Two taps as quick as a hand's, however long this machine takes for them. */
async function tapTwice(page: Page, point: { x: number; y: number }) {
  const finger = await page.context().newCDPSession(page);
  const began = Date.now() / 1000;
  for (const second of [0, 0.15]) {
    const at = began + second;
    await finger.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [point], timestamp: at });
    await finger.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [], timestamp: at + 0.05 });
  }
}

/** Every state that lies over the picture; each leaves the player as it found it. */
const STATES: Record<string, (page: Page) => Promise<unknown>> = {
  "controls and an offer": (page) => button(page, "Skip intro").waitFor(),
  "subtitles and sound": (page) => button(page, "Subtitles and sound").click(),
  "how subtitles look": async (page) => {
    await button(page, "Subtitles and sound").click();
    await button(page, "How subtitles look").click();
  },
  settings: (page) => button(page, "Settings").click(),
  statistics: async (page) => {
    await button(page, "Settings").click();
    await page.getByRole("switch", { name: "Playback statistics" }).click();
    await page.keyboard.press("Escape");
    await page.getByRole("region", { name: "Playback statistics" }).waitFor();
  },
  help: async (page) => {
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  },
  "the next episode": async (page) => {
    await page.keyboard.press("9");
    await page.getByRole("region", { name: "Up next" }).waitFor();
  },
};

interface Box {
  what: string;
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** What is seen of these, in pixels. */
const boxes = (page: Page, selector: string): Promise<Box[]> =>
  page.evaluate((wanted) => {
    const seen = [...document.querySelectorAll<HTMLElement>(wanted)].filter((element) =>
      element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }),
    );
    return seen.map((element) => {
      const { left, top, right, bottom } = element.getBoundingClientRect();
      return {
        what: element.getAttribute("aria-label") ?? element.className ?? element.tagName,
        left,
        top,
        right,
        bottom,
      };
    });
  }, selector);

const overlap = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

describe.each(SIZES)("on a %s", (name, options) => {
  it.each(Object.keys(STATES))("%s: axe finds nothing, and it fits", async (state) => {
    const page = await watch(options);
    await STATES[state]?.(page);
    expect(await axe(page)).toEqual([]);
    const { width, height } = options.viewport;
    const outside = (await boxes(page, ".player-menu, .next, .figures, .player__skip, .player__buttons > *")).filter(
      ({ left, top, right, bottom }) => left < 0 || top < 0 || right > width || bottom > height,
    );
    expect(outside).toEqual([]);
    await page.context().close();
  });

  it("shows subtitles where no control is", async () => {
    const page = await watch(options);
    await page.keyboard.press("c");
    const line = page.locator(".player__lower .subtitles");
    await line.waitFor();
    const apart = async (moment: string) => {
      await settled(page);
      const text = await boxes(page, ".subtitles[aria-hidden] span");
      const controls = await boxes(
        page,
        ".seek, .player__buttons > *, .player__top > *, .player__skip, .seek__tip, .next, .player-menu, .player__centre > *",
      );
      expect(text.length, moment).toBeGreaterThan(0);
      const hit = text.flatMap((a) => controls.filter((b) => overlap(a, b)).map((b) => `${moment}: ${b.what}`));
      expect(hit).toEqual([]);
    };
    await apart("with an offer");
    await page.getByRole("slider", { name: "Position" }).focus();
    await page.keyboard.press("ArrowRight");
    await page.locator(".seek__tip").waitFor();
    await apart("with a preview");
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await button(page, "Subtitles and sound").click();
    await apart("with a menu");
    await page.keyboard.press("Escape");
    await page.keyboard.press("2");
    await page.locator(".player__upper .subtitles").waitFor();
    await apart("at the top");
    await page.keyboard.press("9");
    await page.getByRole("region", { name: "Up next" }).waitFor();
    await apart("with the next episode");
    await page.context().close();
  });

  it("shows where the focus is, on every control", async () => {
    const page = await watch(options);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    const seen = new Set<string>();
    for (let press = 0; press < 40; press += 1) {
      await page.keyboard.press("Tab");
      const focused = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        if (element === document.body) return undefined;
        // The bar's own box is invisible: its track shows it.
        const seen = element.closest(".seek")?.querySelector(".seek__track") ?? element;
        const { outlineStyle, outlineWidth } = getComputedStyle(seen);
        return {
          name: element.getAttribute("aria-label") ?? element.textContent ?? "",
          shown: outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2,
        };
      });
      // Past the last control comes the browser's own, or the page's first again.
      if (!focused || (press > 0 && focused.name === "Skip to content")) break;
      expect(focused).toEqual({ name: focused.name, shown: true });
      expect(focused.name).not.toBe("");
      seen.add(focused.name);
    }
    for (const wanted of ["Leave the player", "Position", "Play", "Subtitles and sound", "Settings", "Full screen"])
      expect([...seen]).toContain(wanted);
    if (name !== "phone")
      for (const wanted of ["Chapters", "Keyboard help", "Volume"]) expect([...seen]).toContain(wanted);
    await page.context().close();
  });
});

describe("under a finger", () => {
  it.each(Object.keys(STATES).filter((state) => state !== "help"))(
    "%s: everything is 44 pixels at least",
    async (state) => {
      const page = await watch(PHONE);
      await STATES[state]?.(page);
      await settled(page);
      const small = (
        await boxes(page, ".player button, .player a.button, .player .player-menu label, .player .seek input")
      )
        .map(({ what, left, right, top, bottom }) => ({ what, across: right - left, high: bottom - top }))
        .filter(({ across, high }) => across < 44 || high < 44);
      expect(small).toEqual([]);
      await page.context().close();
    },
  );

  /** A key of a tenth goes near its place; from there it is counted. */
  const away = async () => {
    const page = await watch(PHONE);
    await page.keyboard.press("3");
    await page.waitForFunction(`${video}.currentTime > 30`);
    const from = (await page.evaluate(`${video}.currentTime`)) as number;
    const isAt = (seconds: number) =>
      page.waitForFunction(`Math.abs(${video}.currentTime - ${from + seconds}) < 0.001`);
    return { page, isAt };
  };

  it("two taps on a side go ten seconds, one shows the controls or takes them away", async () => {
    const { page, isAt } = await away();
    await tapTwice(page, { x: 330, y: 200 });
    await isAt(10);
    await tapTwice(page, { x: 30, y: 200 });
    await isAt(0);
    await page.context().close();
  });

  it("steps are beside the large button", async () => {
    const { page, isAt } = await away();
    await button(page, "Forward 10 seconds").tap();
    await isAt(10);
    await button(page, "Back 10 seconds").tap();
    await isAt(0);
    await page.context().close();
  });
});

it("a menu takes the focus, keeps to the arrows, and gives the focus back", async () => {
  const page = await watch({});
  await button(page, "Settings").focus();
  await page.keyboard.press("Enter");
  const focused = () =>
    page.evaluate(
      () => document.activeElement?.closest("label")?.textContent ?? document.activeElement?.getAttribute("aria-label"),
    );
  await expect.poll(focused).toMatch(/^Auto/);
  await page.keyboard.press("ArrowDown");
  await expect.poll(focused).toBe("360p");
  expect(await page.evaluate(`${video}.volume`)).toBe(1);
  await page.keyboard.press("Escape");
  await expect.poll(focused).toBe("Settings");
  await page.context().close();
});

it("a press beside a menu closes it, and does nothing else", async () => {
  const page = await watch({});
  await button(page, "Settings").click();
  await page.mouse.click(200, 300);
  await page.locator(".player-menu").waitFor({ state: "detached" });
  expect(await page.evaluate(`${video}.paused`)).toBe(true);
  await page.context().close();
});
