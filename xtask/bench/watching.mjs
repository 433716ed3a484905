// What a viewer sees on lines of several speeds: milliseconds from pressing play to the first picture, from a jump to its picture, and
// how often a minute of film stands still.
export default async ({ page, context, url, input }) => {
  await page.goto(url);
  const entered = await page.evaluate(async (person) => {
    const answer = await fetch("/api/v1/auth/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(person),
    });
    return answer.status;
  }, input.person);
  if (entered !== 200) throw new Error(`logging in answered ${entered}`);
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
  async function arrive() {
    await line({});
    await network.send("Network.clearBrowserCache");
    await page.goto(`${url}/title/${input.title}`, { waitUntil: "networkidle" });
    await page.evaluate(() => {
      const watch = new MutationObserver(() => {
        const video = document.querySelector("video");
        if (!video || globalThis.firstFrame) return;
        watch.disconnect();
        globalThis.stalls = 0;
        globalThis.firstFrame = new Promise((shown) =>
          video.requestVideoFrameCallback((now) => {
            video.addEventListener("waiting", () => {
              globalThis.stalls += 1;
            });
            shown(now);
          }),
        );
      });
      watch.observe(document, { childList: true, subtree: true });
      document.addEventListener("click", () => { globalThis.pressed ??= performance.now(); }, { capture: true });
    });
  }

  async function press() {
    const name = /^(play|resume)/i;
    await page.getByRole("link", { name }).or(page.getByRole("button", { name })).first().click();
    await page.waitForFunction(() => globalThis.firstFrame !== undefined, undefined, { timeout: 60_000 });
    return page.evaluate(async () => (await globalThis.firstFrame) - globalThis.pressed);
  }

  // The long one first: later ones resume where the one before stopped.
  await arrive();
  await line({ bits: input.lowest_bits * input.headroom, latency: 40 });
  await press();
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
      await arrive();
      await line(conditions);
      first[name].push(await press());
    }
  }

  await arrive();
  await press();
  const seeks = [];
  for (const place of input.places) {
    seeks.push(
      await page.evaluate(async (share) => {
        const video = document.querySelector("video");
        const began = performance.now();
        video.currentTime = share * video.duration;
        await new Promise((done) => video.addEventListener("seeked", done, { once: true }));
        const shown = await new Promise((done) => video.requestVideoFrameCallback((now) => done(now)));
        return shown - began;
      }, place),
    );
  }
  return { first, stalls, played, seeks };
};
