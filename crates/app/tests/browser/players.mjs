// Others' players on a film of ours: each one plays, seeks, switches rungs and sound, shows subtitles and, where it knows them, the
// pictures of the seek bar.
// Input: { player, address, heights: [low, high], audio: [{ name, hertz: of its tone }], surround: { name, hertz, folders: [of its
// stereo, of its 5.1] }, words: a line of each of the subtitles, at: where to seek to, pictures: whether the player knows them }.
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
  const body = `<!doctype html><html lang="en"><title>${input.player}</title><video width="640" height="360"></video></html>`;
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
  await page.evaluate(() => window.listenIn());
  for (const { name, hertz } of [...input.audio].reverse()) {
    await page.evaluate((wanted) => window.its.listen(wanted), name);
    await until(page, (wanted) => Math.abs(window.hears() - wanted) < 15, hertz, `is heard: ${name}, ${hertz} Hz`);
  }
  await page.evaluate(() => window.seek(0.5));
  await plays(page, 0.5, "plays with other sound");
  if (await page.evaluate(() => Boolean(window.its.encoding))) {
    const { name, hertz, folders } = input.surround;
    for (const [channels, folder] of [
      [6, folders[1]],
      [2, folders[0]],
    ]) {
      // Its tone is the same: what tells it from the other is where it comes from.
      const came = page.waitForEvent("requestfinished", (request) => new RegExp(`/${folder}/\\d+\\.m4s`).test(request.url()));
      await page.evaluate(([wanted, count]) => window.its.encoding(wanted, count), [name, channels]);
      await came;
      const place = await page.evaluate(() => document.querySelector("video").currentTime);
      await plays(page, place, `plays on in ${channels} channels`);
      await until(page, (wanted) => Math.abs(window.hears() - wanted) < 15, hertz, `is heard in ${channels} channels`);
    }
  }

  seen.subtitles = await page.evaluate(() => window.its.texts());
  await page.evaluate(() => window.seek(0.5));
  await plays(page, 0.5, "plays from where the lines are");
  for (const [at, words] of input.words.entries()) {
    await page.evaluate((wanted) => window.its.read(wanted), at);
    await until(page, (line) => window.cues().some((cue) => cue.includes(line)), words, `has the subtitles: ${words}`);
  }
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
      const heard = window.hears?.();
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
