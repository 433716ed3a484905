/** Sound in stereo and in 5.1, by the playlist that the house writes: what the menu offers, and that nothing changes by itself. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Stage, stage } from "../support/browser";
import { filmAnswer, filmOfTwoGroups, testFilm } from "../support/film";

let house: Stage;
let address: string;
beforeAll(async () => {
  const media = testFilm();
  address = filmOfTwoGroups(media);
  house = await stage({ media });
});
afterAll(() => house.stop());
beforeEach(() => {
  house.reset();
  house.state.stream = address;
  house.state.playback = { ...filmAnswer, subtitles: [], hls_url: address };
});

const video = "document.querySelector('video')";
const STEREO = ["a0", "a2", "a4", "a5"];
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const radio = (page: Page, name: string) => page.getByRole("radio", { name, exact: true });
/** The controls go while nobody moves. */
async function press(page: Page, name: string) {
  await page.mouse.move(600, 300);
  await page.mouse.move(620, 320);
  await button(page, name).click();
}
const menu = (page: Page) => press(page, "Subtitles and sound");
const marked = (page: Page) =>
  page
    .locator('input[name="audio"]:checked')
    .locator("xpath=ancestor::label")
    .allTextContents()
    .then((texts) => texts.join());
const high = (page: Page) => expect.poll(() => page.evaluate(`${video}.videoHeight`)).toBe(360);

interface Watched {
  page: Page;
  /** Renditions of which segments were asked for since the last look, without saying one twice. */
  asked: (kind: "a" | "v") => string[];
}

async function watch(options: { before?: (page: Page) => Promise<unknown> } = {}): Promise<Watched> {
  const page = await house.open("/");
  const seen: string[] = [];
  page.on("request", (request) => {
    const [, rendition] = /\/groups\/([av]\d)\/[^/]+\.m4s$/.exec(new URL(request.url()).pathname) ?? [];
    if (rendition) seen.push(rendition);
  });
  await options.before?.(page);
  await page.goto(`${house.url}/watch/t3`);
  await page.waitForFunction(`${video}?.currentTime > 0.3`);
  const asked = (kind: string) => [...new Set(seen.splice(0))].filter((name) => name.startsWith(kind)).sort();
  return { page, asked };
}

/** Chooses it, and waits until it is what is played. */
async function listen(page: Page, name: string) {
  await menu(page);
  await radio(page, name).click();
  await expect.poll(() => marked(page)).toBe(name);
  await page.keyboard.press("Escape");
}

async function chooseQuality(page: Page, height: RegExp) {
  await press(page, "Settings");
  await page.getByRole("radio", { name: height }).click();
  await page.keyboard.press("Escape");
}

/** Plays on for so long from where it is. */
async function playsOn(page: Page, seconds: number) {
  const from = await page.evaluate<number>(`${video}.currentTime`);
  await page.waitForFunction(`${video}.currentTime > ${from + seconds}`);
}

describe("a film in stereo and 5.1", () => {
  it("offers each track once in each number of channels that it has", async () => {
    const { page } = await watch();
    await menu(page);
    const offered = await page.locator('label:has(input[name="audio"])').allTextContents();
    expect(offered).toEqual([
      "English",
      "English, 5.1",
      "Français",
      "Français, 5.1",
      "Deutsch",
      "Commentary by the director",
    ]);
    expect(await marked(page)).toBe("English");
    await page.context().close();
  });

  it("has as many rungs as there are, and stays in stereo on every one", async () => {
    const { page, asked } = await watch();
    await high(page);
    await press(page, "Settings");
    await page.getByRole("switch", { name: "Playback statistics" }).click();
    await page.keyboard.press("Escape");
    await page.getByText("640 × 360, rung 2 of 2").waitFor();
    for (const [height, lines] of [
      [/^180p/, 180],
      [/^360p/, 360],
    ] as const) {
      await chooseQuality(page, height);
      await expect.poll(() => page.evaluate(`${video}.videoHeight`)).toBe(lines);
    }
    await playsOn(page, 1);
    expect(asked("a")).toEqual(["a0"]);
    await menu(page);
    expect(await marked(page)).toBe("English");
    await page.context().close();
  });

  it("plays 5.1 where it is chosen, at every rung, without stopping or going back", async () => {
    const { page, asked } = await watch();
    await high(page);
    await page.evaluate(`window.emptied = 0; window.last = 0; window.back = 0;
      ${video}.addEventListener("emptied", () => { window.emptied += 1; });
      ${video}.addEventListener("timeupdate", () => {
        if (${video}.currentTime < window.last) window.back += 1;
        window.last = ${video}.currentTime;
      })`);
    await listen(page, "English, 5.1");
    await playsOn(page, 1);
    expect(await page.evaluate("[window.emptied, window.back]")).toEqual([0, 0]);
    // What was asked for before the choice was not.
    asked("a");
    await page.keyboard.press("6");
    await page.waitForFunction(`${video}.currentTime > 72.3 && !${video}.seeking`);
    expect(asked("a")).toEqual(["a1"]);
    await chooseQuality(page, /^180p/);
    await expect.poll(() => page.evaluate(`${video}.videoHeight`)).toBe(180);
    await chooseQuality(page, /^Auto/);
    await high(page);
    await playsOn(page, 1);
    expect(asked("a").filter((name) => STEREO.includes(name))).toEqual([]);
    await page.context().close();
  });

  it("goes from 5.1 to a track without it and to stereo, and keeps the rung that was chosen", async () => {
    const { page, asked } = await watch();
    await chooseQuality(page, /^180p/);
    await listen(page, "Français, 5.1");
    await listen(page, "Commentary by the director");
    await listen(page, "English, 5.1");
    asked("v");
    await listen(page, "English");
    await playsOn(page, 1);
    await page.keyboard.press("9");
    await page.waitForFunction(`${video}.currentTime > 108.3 && !${video}.seeking`);
    expect(asked("v")).toEqual(["v0"]);
    await menu(page);
    expect(await marked(page)).toBe("English");
    await page.context().close();
  });

  it("begins in 5.1 the next time, in another language too, and in stereo after stereo was chosen", async () => {
    const { page, asked } = await watch();
    const again = async () => {
      asked("a");
      await page.reload();
      await page.waitForFunction(`${video}?.currentTime > 0.3`);
      return asked("a");
    };
    await listen(page, "English, 5.1");
    expect(await again()).toEqual(["a1"]);
    // It says nothing of how many channels are liked, as there is no choice.
    await listen(page, "Deutsch");
    expect(await again()).toEqual(["a4"]);
    await listen(page, "Français, 5.1");
    expect(await again()).toEqual(["a3"]);
    await listen(page, "Français");
    expect(await again()).toEqual(["a2"]);
    await page.context().close();
  });

  it.each([
    [6, "a1", "English, 5.1"],
    [2, "a0", "English"],
  ])("begins by itself with what is heard where there are %d loudspeakers: %s", async (loudspeakers, track, name) => {
    const { page, asked } = await watch({
      before: (bare) =>
        bare.addInitScript(
          `Object.defineProperty(AudioDestinationNode.prototype, "maxChannelCount", { get: () => ${loudspeakers} })`,
        ),
    });
    expect(asked("a")).toEqual([track]);
    await menu(page);
    expect(await marked(page)).toBe(name);
    await page.context().close();
  });
});
