// A viewer on a phone, on a line of 1.5 Mb/s and 80 ms: the title's page, Play, and the picture moves without standing still.
// Input: { person: {email, password}, title: "id", seconds: how much of it is watched }.
import { enter, must } from "./people.mjs";

export default async function phone({ page, context, url, input, axe, shot }) {
  await enter(page, url, input.person);
  await page.goto(`${url}/title/${input.title}`);
  const play = page.locator("main .title__actions a.button--primary");
  await play.waitFor();
  const seen = { findings: await axe() };
  seen.scrolled = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await shot("journey-phone-title");
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  await network.send("Network.emulateNetworkConditions", { offline: false, latency: 80, downloadThroughput: 1_500_000 / 8, uploadThroughput: 1_500_000 / 8 });
  await page.evaluate(countStalls);
  await play.click();
  await page.waitForFunction((least) => {
    const video = document.querySelector("video");
    return video && video.currentTime > least && video.getVideoPlaybackQuality().totalVideoFrames > 0;
  }, input.seconds, { timeout: 60_000 });
  seen.stalls = await page.evaluate(() => window.stalls);
  must(seen.stalls.length === 0, "the picture stood still at these seconds", seen.stalls);
  await shot("journey-phone-playing");
  return seen;
}

/** From the first picture that moves on: where the film had to wait for more. */
function countStalls() {
  window.stalls = [];
  const wait = ({ target }) => window.stalls.push(target.currentTime);
  document.addEventListener("playing", () => document.addEventListener("waiting", wait, true), { capture: true, once: true });
}
