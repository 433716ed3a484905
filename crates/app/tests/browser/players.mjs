// Others' players on a film of ours: each one plays, seeks, switches rungs and sound, shows subtitles and, where it knows them, the
// pictures of the seek bar.
// Input: { player, address, heights: [low, high], audio: [languages], words: a line of the first subtitles, at: where to seek to,
// pictures: whether the player knows them }.
import { fileURLToPath } from "node:url";
import { must } from "./people.mjs";

const LIBRARIES = {
  "hls.js": "hls.js/dist/hls.js",
  shaka: "shaka-player/dist/shaka-player.compiled.js",
  "dash.js": "dashjs/dist/modern/umd/dash.all.min.js",
  "video.js": "video.js/dist/video.js",
};

export default async function players({ page, url, input, modules }) {
  // A page of the same origin that holds nothing but the element.
  const bare = `${url}/bare-player.html`;
  const body = `<!doctype html><html lang="en"><title>${input.player}</title><video width="640" height="360" muted></video></html>`;
  await page.route(bare, (route) => route.fulfill({ contentType: "text/html", body }));
  await page.goto(bare);
  await page.addScriptTag({ path: `${modules}/${LIBRARIES[input.player]}` });
  await page.addScriptTag({ path: fileURLToPath(new URL("adapters.js", import.meta.url)) });
  const seen = {};
  await page.evaluate(({ player, address }) => window.open_(player, address), input);
  await page.evaluate(() => document.querySelector("video").play());
  await plays(page, 0.5, "plays");

  await page.evaluate((at) => window.seek(at), input.at);
  await plays(page, input.at, "plays on from there");

  seen.heights = await page.evaluate(() => window.its.heights());
  // Away from the rung that it has found for itself, and back: one after the other, for a switch that is overtaken may never end.
  const own = await page.evaluate(() => document.querySelector("video").videoHeight);
  for (const height of [...input.heights.filter((other) => other !== own), own]) {
    await page.evaluate((wanted) => window.its.choose(wanted), height);
    await until(page, (wanted) => document.querySelector("video").videoHeight === wanted, height, `shows ${height} lines`);
    const place = await page.evaluate(() => document.querySelector("video").currentTime);
    await plays(page, place, `plays on in ${height} lines`);
  }
  await page.evaluate(() => window.seek(1));
  await plays(page, 1, "plays after it has switched");

  seen.audio = await page.evaluate(() => window.its.audios());
  for (const language of [...input.audio].reverse()) {
    await page.evaluate((wanted) => window.its.listen(wanted), language);
    await until(page, (wanted) => window.its.heard() === wanted, language, `is heard in ${language}`);
  }
  await page.evaluate(() => window.seek(0.5));
  await plays(page, 0.5, "plays with other sound");

  seen.subtitles = await page.evaluate(() => window.its.texts());
  await page.evaluate(() => window.its.read(0));
  await page.evaluate(() => window.seek(0.5));
  await until(page, (words) => window.cues().some((cue) => cue.includes(words)), input.words, "has the subtitles");
  if (input.pictures) seen.picture = await page.evaluate((at) => window.its.picture(at), input.at);
  seen.error = await page.evaluate(() => document.querySelector("video").error?.message ?? null);
  must(seen.error === null, `${input.player} ends in an error`, seen);
  return seen;
}

async function until(page, condition, argument, what) {
  try {
    await page.waitForFunction(condition, argument);
  } catch (error) {
    const state = await page.evaluate(() => {
      const { currentTime, videoHeight, readyState, seeking, paused } = document.querySelector("video");
      const heard = window.its?.heard?.();
      return { currentTime, videoHeight, readyState, seeking, paused, heard, cues: window.cues(), troubles: window.troubles };
    });
    throw new Error(`never: ${what}; ${JSON.stringify(state)}`, { cause: error });
  }
}

/** The picture moves on from there. */
const plays = (page, from, what) =>
  until(
    page,
    (place) => {
      const video = document.querySelector("video");
      return !video.paused && !video.seeking && video.currentTime > place + 0.3 && video.currentTime < place + 4 && video.readyState > 2;
    },
    from,
    `${what} (${from} s)`,
  );
