// From pressing play to the first picture on the screen, in milliseconds, several times; and what the home page loads.
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

  const home = await context.newPage();
  await home.goto(url, { waitUntil: "networkidle" });
  const scripts = await home.evaluate(() =>
    performance
      .getEntriesByType("resource")
      .filter((entry) => entry.initiatorType === "script" || entry.name.endsWith(".js"))
      .map((entry) => ({ name: new URL(entry.name).pathname, bytes: entry.encodedBodySize })),
  );
  await home.close();

  const times = [];
  for (let round = 0; round < input.rounds; round += 1) {
    await page.goto(`${url}/title/${input.title}`, { waitUntil: "networkidle" });
    await page.evaluate(() => {
      const watch = new MutationObserver(() => {
        const video = document.querySelector("video");
        if (!video || globalThis.firstFrame) return;
        watch.disconnect();
        globalThis.firstFrame = new Promise((shown) => video.requestVideoFrameCallback((now) => shown(now)));
      });
      watch.observe(document, { childList: true, subtree: true });
      document.addEventListener("click", () => { globalThis.pressed ??= performance.now(); }, { capture: true });
    });
    await page.getByRole("link", { name: /^(play|resume)/i }).or(page.getByRole("button", { name: /^(play|resume)/i })).first().click();
    await page.waitForFunction(() => globalThis.firstFrame !== undefined);
    times.push(await page.evaluate(async () => (await globalThis.firstFrame) - globalThis.pressed));
  }
  return { times, scripts };
};
