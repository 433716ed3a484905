// An evening of two viewers: one logs in, reads why, watches, rates, and finds the page changed; the other sees another page.
// Input: { first: {email, password}, second: {email, password} }.
import { logIn, must } from "./people.mjs";

const ROWS_MIN = 5;

export default async function evening({ page, url, input, context, axe, settled, shot }) {
  const seen = {};
  await logIn(page, url, input.first);
  await settled();
  seen.rows = await rowsOf(page);
  seen.reasons = await page.locator(".row__reason, .row h2:has(.reason-link)").allTextContents();
  seen.homeFindings = await axe();
  await shot("evening-home");
  must(new Set(seen.rows.map((row) => row.kind)).size >= ROWS_MIN, `fewer than ${ROWS_MIN} kinds of rows`, seen.rows);
  must(seen.reasons.length > 0, "no row says why", seen.rows);

  const chosen = input.title ?? (await playableTitle(page));
  await page.goto(`${url}/title/${chosen}`);
  await page.locator("main .title__actions a.button--primary").waitFor();
  seen.title = (await page.locator("main h1").textContent()).trim();
  seen.titleFindings = await axe();
  await shot("evening-title");

  seen.firstFrameMs = await play(page);
  seen.picture = await pictureMoves(page);
  await shot("evening-player");

  await page.goto(`${url}/title/${chosen}`);
  await rateFive(page, settled);

  await page.goto(url);
  await page.locator("section.row").first().waitFor();
  await settled();
  seen.because = (await rowsOf(page)).filter((row) => row.kind === "because_you_watched").map((row) => row.heading);
  must(
    seen.because.some((heading) => heading.includes(seen.title)),
    `no row because of ${seen.title}`,
    seen.because,
  );
  await shot("evening-home-after");

  const mine = await picks(page);
  await context.clearCookies();
  await page.evaluate(() => localStorage.clear());
  await logIn(page, url, input.second);
  await settled();
  const theirs = await picks(page);
  await shot("evening-second");
  seen.picks = mine.length;
  seen.shared = mine.filter((id) => theirs.includes(id)).length;
  must(mine.length > 0 && theirs.length > 0, "a viewer sees no picks", { mine, theirs });
  must(mine.join() !== theirs.join(), "both viewers see the same picks", { mine, theirs });
  return seen;
}

/** Gives the title on the page five stars; stars of an earlier evening are taken back first. */
async function rateFive(page, settled) {
  const answered = (method) =>
    page.waitForResponse((answer) => answer.url().endsWith("/rating") && answer.request().method() === method);
  const five = page.locator("fieldset.stars input[value='5']");
  await five.waitFor({ state: "attached" });
  await settled();
  if (await five.isChecked()) {
    const removed = answered("DELETE");
    await page.getByRole("button", { name: "Remove rating" }).click();
    must((await removed).ok(), "the rating was not taken back");
  }
  const rated = answered("PUT");
  await five.click({ force: true });
  must((await rated).status() === 200, "the rating was refused");
}

/** Every row of the home page: what kind it is and what stands above it. */
function rowsOf(page) {
  return page.locator("section.row").evaluateAll((rows) =>
    rows.map((row) => ({
      kind: [...row.classList].find((name) => name.startsWith("row--"))?.slice(5),
      heading: row.querySelector("h2, h3")?.textContent ?? "",
    })),
  );
}

/** Titles of the first recommending row. */
function picks(page) {
  return page
    .locator("section.row--top_picks .card__link")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href").split("/").at(-1)));
}

/** A title with a video that this viewer may play: the hero, or the first that the API knows. */
async function playableTitle(page) {
  return page.evaluate(async () => {
    const home = await (await fetch("/api/v1/home")).json();
    const cards = [home.hero?.title, ...home.rows.flatMap((row) => row.items.map((item) => item.title))];
    const playable = cards.find((card) => card?.playable);
    if (playable) return playable.id;
    const browse = await (await fetch("/api/v1/titles?playable=true&limit=1")).json();
    return browse.items[0].id;
  });
}

/** Presses play; milliseconds to the first frame on the screen. */
async function play(page) {
  const link = page.locator("main .title__actions a.button--primary");
  await link.hover();
  const before = Date.now();
  await link.click();
  await page.waitForFunction(() => {
    const video = document.querySelector("video");
    return video && video.getVideoPlaybackQuality().totalVideoFrames > 0 && video.currentTime > 0;
  });
  return Date.now() - before;
}

/** Two moments of the film: the time goes on, frames are shown, and the pixels differ. */
async function pictureMoves(page) {
  const look = () =>
    page.evaluate(() => {
      const video = document.querySelector("video");
      const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
      const paint = canvas.getContext("2d");
      paint.drawImage(video, 0, 0, 64, 36);
      const pixels = [...paint.getImageData(0, 0, 64, 36).data];
      return { at: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames, pixels };
    });
  const first = await look();
  await page.waitForFunction((at) => document.querySelector("video").currentTime > at + 0.8, first.at);
  const second = await look();
  const changed = second.pixels.filter((value, index) => Math.abs(value - first.pixels[index]) > 8).length;
  must(second.frames > first.frames, "no frame was shown", [first.frames, second.frames]);
  must(changed > 50, "the picture stands still", { changed });
  return { seconds: second.at - first.at, frames: second.frames - first.frames, changed };
}
