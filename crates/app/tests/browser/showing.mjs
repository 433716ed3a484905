// All that the player promises, on a film that a real Kinora has packaged: lines, sounds, rungs, pictures on the bar, chapters, the opening
// that is skipped, the place that another browser goes on from, and the next episode that starts by itself.
// Input: { person: {email, password}, episode, next: ids of titles, intro: {start_s, end_s}, chapters: [{name, start_s, words: the line
// that stands there}], audio: [{name, hertz: of its tone}], subtitles: their name, heights: of the rungs, low first, credits_at_s }.
import { readFileSync } from "node:fs";
import { enter, must } from "./people.mjs";

/** What a place is rounded by on its way to the house and back, and the picture that begins before it. */
const PLACE_S = 0.2;
/** A blank picture has one colour, or the few that its edges have. */
const COLOURS_MIN = 20;

export default async function showing({ page, context, url, input, shot }) {
  const seen = {};
  await enter(page, url, input.person);
  await open(page, url, input.episode, /^Play/);
  await skipsTheIntro(page, input);
  await showsLines(page, input);
  await shot("showing");
  await page.keyboard.press("2");
  seen.audio = await hearsEverySound(page, input.audio);
  seen.rungs = await pinsARung(page, input.heights);
  seen.pictures = await pointsAtTheBar(page, input.chapters);
  await goesByChapters(page, input.chapters);
  const place = await leaves(page, input.episode);

  // Another browser of the same person's.
  const elsewhere = await context.browser().newContext({ viewport: page.viewportSize() });
  await elsewhere.addInitScript(() => {
    const begin = ({ target }) => { window.begunAt = target.currentTime; };
    document.addEventListener("playing", begin, { capture: true, once: true });
  });
  const later = await elsewhere.newPage();
  await enter(later, url, input.person);
  await Promise.all([open(later, url, input.episode, /^Resume/), later.getByText(/^Resumed at /).waitFor()]);
  const begun = await later.evaluate(() => window.begunAt);
  must(Math.abs(begun - place) < PLACE_S, "it does not go on where it was left", { place, begun });
  await goesToTheNext(later, url, input);
  await leaves(later, input.next);
  await elsewhere.close();
  return seen;
}

async function open(page, url, title, name) {
  await page.goto(`${url}/title/${title}`);
  await page.locator("main .title__actions").getByRole("link", { name }).click();
  await moves(page);
}

async function skipsTheIntro(page, { intro }) {
  const skip = page.getByRole("button", { name: "Skip intro" });
  await skip.waitFor();
  await page.keyboard.press("k");
  const { place } = await film(page);
  must(place >= intro.start_s && place < intro.end_s, "the intro is offered to be skipped elsewhere", { place });
  await skip.click();
  await stands(page, intro.end_s);
  await skip.waitFor({ state: "detached" });
  await page.keyboard.press("k");
}

async function showsLines(page, { subtitles, chapters }) {
  await page.keyboard.press("c");
  await line(page, chapters[1].words).waitFor();
  await page.getByRole("button", { name: "Subtitles and sound" }).click();
  const names = await radios(page, "Subtitles").all();
  must(names.length === 2, "other subtitles than those of the film", { count: names.length });
  must(await radios(page, "Subtitles", subtitles).isChecked(), "the menu does not know what is shown", {});
  await page.keyboard.press("Escape");
}

/** Every sound is heard that the menu has, the one that plays last. */
async function hearsEverySound(page, audio) {
  await page.evaluate(readFileSync(new URL("adapters.js", import.meta.url), "utf8"));
  await page.evaluate(() => window.listenIn());
  await page.getByRole("button", { name: "Subtitles and sound" }).click();
  const names = await labels(page, "Sound");
  for (const { name, hertz } of [...audio].reverse()) {
    await radios(page, "Sound", name).click();
    await page.waitForFunction((wanted) => Math.abs(window.hears() - wanted) < 15, hertz);
    must(await radios(page, "Sound", name).isChecked(), "the menu does not know what is heard", { name });
  }
  await page.keyboard.press("Escape");
  return names;
}

/** The film climbs by itself; a rung that somebody chooses stays, wherever they go, until they leave it to the film again. */
async function pinsARung(page, [low, high]) {
  await shows(page, high);
  await page.getByRole("button", { name: "Settings" }).click();
  const names = await labels(page, "Quality");
  await radios(page, "Quality", `${low}p`).click();
  await shows(page, low);
  const folders = [];
  page.on("requestfinished", (request) => folders.push(/\/(v\d+)\/\d+\.m4s/.exec(request.url())?.[1]));
  await page.keyboard.press("Escape");
  await page.keyboard.press("0");
  await moves(page, 0);
  await page.keyboard.press("6");
  await moves(page, 0.6);
  await shows(page, low);
  await page.getByRole("button", { name: "Settings" }).click();
  must(await radios(page, "Quality", `${low}p`).isChecked(), "the menu does not know what was chosen", {});
  const asked = new Set(folders.filter(Boolean));
  must(asked.size < 2, "other rungs were loaded", [...asked]);
  await radios(page, "Quality", /^Auto/).click();
  await page.keyboard.press("Escape");
  await page.keyboard.press("2");
  await shows(page, high);
  return names;
}

/** What the bar shows where a hand points: for each chapter its place in the sheet, and how many colours it has. */
async function pointsAtTheBar(page, chapters) {
  await page.keyboard.press("k");
  const bar = page.getByRole("slider", { name: "Position" });
  const { width, height } = await bar.boundingBox();
  const { duration } = await film(page);
  const pictures = [];
  for (const { name, start_s } of chapters) {
    await bar.hover({ position: { x: (width * (start_s + 1)) / duration, y: height / 2 } });
    await page.locator(".seek__tip").getByText(name, { exact: true }).waitFor();
    pictures.push(await page.locator(".seek__picture image").evaluate(async (image) => {
      const [x, y] = [-image.x.baseVal.value, -image.y.baseVal.value];
      const box = image.ownerSVGElement.viewBox.baseVal;
      const sheet = await createImageBitmap(await (await fetch(image.href.baseVal)).blob());
      const paint = new OffscreenCanvas(box.width, box.height).getContext("2d");
      paint.drawImage(sheet, x, y, box.width, box.height, 0, 0, box.width, box.height);
      const pixels = new Uint32Array(paint.getImageData(0, 0, box.width, box.height).data.buffer);
      const isWithin = x + box.width <= sheet.width && y + box.height <= sheet.height;
      return { x, y, colours: new Set(pixels).size, isWithin };
    }));
  }
  must(pictures.every(({ colours, isWithin }) => isWithin && colours > COLOURS_MIN), "no picture of the film", pictures);
  return pictures.map(({ x, y }) => [x, y]);
}

async function goesByChapters(page, chapters) {
  await page.getByRole("button", { name: "Chapters" }).click();
  const menu = page.getByRole("dialog", { name: "Chapters" });
  const names = await menu.locator("li button span:first-child").allTextContents();
  must(names.join() === chapters.map(({ name }) => name).join(), "other chapters than those of the film", names);
  const last = chapters.at(-1);
  await menu.getByRole("button", { name: last.name }).click();
  await stands(page, last.start_s);
  await line(page, last.words).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("k");
  await page.waitForFunction((from) => document.querySelector("video").currentTime > from + 1, last.start_s);
}

/** Stops, and goes; where it stopped, once the house knows. */
async function leaves(page, title) {
  await page.keyboard.press("k");
  await page.waitForFunction(() => document.querySelector("video").paused);
  const { place } = await film(page);
  await page.keyboard.press("Escape");
  await page.waitForURL((address) => !address.pathname.startsWith("/watch"));
  const isKnown = async ({ title, place, most }) => {
    const { progress } = await (await fetch(`/api/v1/titles/${title}`)).json();
    return Math.abs(progress?.position_s - place) < most;
  };
  await page.waitForFunction(isKnown, { title, place, most: PLACE_S }, { polling: 100 });
  return place;
}

/** Into the credits: the next one is counted down to, and starts. */
async function goesToTheNext(page, url, { next, credits_at_s }) {
  const card = page.getByRole("region", { name: "Up next" });
  must((await card.count()) === 0, "the next one is offered before the credits", await film(page));
  await page.keyboard.press("9");
  const timer = card.getByRole("timer");
  const counted = /^Starts in (\d+) s$/.exec(await timer.textContent());
  const { place } = await film(page);
  must(counted && place >= credits_at_s, "the next one is offered before the credits, or at once", { counted, place });
  const isLess = (most) => Number(document.querySelector("[role=timer]")?.textContent.match(/\d+/)[0]) < most;
  await page.waitForFunction(isLess, Number(counted[1]));
  await page.waitForURL(`${url}/watch/${next}`);
  await moves(page, 0);
}

const line = (page, words) => page.locator(".subtitles").getByText(words, { exact: true });

/** Those of one choice in a menu. */
function radios(page, legend, name) {
  const exact = typeof name === "string";
  return page.getByRole("group", { name: legend, exact: true }).getByRole("radio", name === undefined ? {} : { name, exact });
}

const labels = (page, legend) => page.getByRole("group", { name: legend, exact: true }).locator("label").allTextContents();

const film = (page) =>
  page.evaluate(() => {
    const { currentTime, duration, videoHeight } = document.querySelector("video");
    return { place: currentTime, duration, height: videoHeight };
  });

/** The picture moves on; from this share of the film where one is named, and not from much further on. */
const moves = (page, from) =>
  page.waitForFunction((from) => {
    const video = document.querySelector("video");
    if (!video || video.paused || video.seeking || video.readyState < 3) return false;
    const passed = video.currentTime - (from ?? 0) * video.duration;
    return passed > 0.3 && (from === undefined || passed < video.duration / 4);
  }, from);

const stands = (page, place) =>
  page.waitForFunction((place) => {
    const video = document.querySelector("video");
    return video.paused && !video.seeking && Math.abs(video.currentTime - place) < 0.05;
  }, place);

const shows = (page, height) => page.waitForFunction((height) => document.querySelector("video").videoHeight === height, height);
