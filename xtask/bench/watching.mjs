// What a viewer sees on lines of several speeds: milliseconds from pressing play to the first picture, from a jump to its picture, and
// how often a minute of film stands still.
import { arrive, enter, press } from "./viewer.mjs";

export default async ({ page, context, url, input }) => {
  await enter(page, url, input.person);
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");

  /** The line from now on; none is the machine's own. */
  async function line({ bits = 0, latency = 0 }) {
    const throughput = bits > 0 ? bits / 8 : -1;
    await network.send("Network.emulateNetworkConditions", {
      offline: false,
      latency,
      downloadThroughput: throughput,
      uploadThroughput: throughput,
    });
  }

  /** Opens the title on a free line, so that what is measured begins with the press. */
  async function arriveFreely() {
    await line({});
    await network.send("Network.clearBrowserCache");
    await arrive(page, url, input.title);
  }

  // The long one first: later ones resume where the one before stopped.
  await arriveFreely();
  await line({ bits: input.lowest_bits * input.headroom, latency: 40 });
  await press(page);
  const played = await page.evaluate(async (seconds) => {
    const video = document.querySelector("video");
    const from = video.currentTime;
    await new Promise((done) => setTimeout(done, seconds * 1000));
    return video.currentTime - from;
  }, input.seconds);
  const stalls = await page.evaluate(() => globalThis.stalls);

  const first = {};
  for (const [name, conditions] of Object.entries(input.lines)) {
    first[name] = [];
    for (let round = 0; round < input.rounds; round += 1) {
      await arriveFreely();
      await line(conditions);
      first[name].push(await press(page));
    }
  }

  await arriveFreely();
  await press(page);
  const jumps = [];
  for (const key of input.keys) {
    // Who listens is there before the key.
    await page.evaluate(() => {
      const pressed = new Promise((done) => document.addEventListener("keydown", done, { once: true, capture: true }));
      const jumped = globalThis.jumped(document.querySelector("video"));
      globalThis.jump = jumped.then(async (shown) => shown - (await pressed).timeStamp);
    });
    await page.keyboard.press(key);
    jumps.push(await page.evaluate(() => globalThis.jump));
  }

  await arriveFreely();
  await press(page);
  const exact = [];
  for (const place of input.places) {
    exact.push(
      await page.evaluate(async (share) => {
        const video = document.querySelector("video");
        const began = performance.now();
        const shown = globalThis.jumped(video);
        video.currentTime = share * video.duration;
        return (await shown) - began;
      }, place),
    );
  }
  return { first, stalls, played, jumps, exact };
};
