// What every measure in a browser begins with: logging in, opening a title, pressing play.

/** Logs in without the form: what is measured comes later. */
export async function enter(page, url, person) {
  await page.goto(url);
  const answered = await page.evaluate(async (sent) => {
    const answer = await fetch("/api/v1/auth/login", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(sent),
    });
    return answer.status;
  }, person);
  if (answered !== 200) throw new Error(`logging in answered ${answered}`);
}

/** Opens the title and waits for the press and for the first picture; from then on it counts how often the picture stands still. */
export async function arrive(page, url, title) {
  await page.goto(`${url}/title/${title}`, { waitUntil: "networkidle" });
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
    // When the picture of the next jump is on the screen: the first one of there, which is drawn before the jump is said to be over. Without an
    // end to the waiting a lost event would be a run that never ends.
    const PICTURE_S = 0.05;
    const NEAR_S = 1;
    globalThis.jumped = (video) =>
      new Promise((shown, failed) => {
        const limit = setTimeout(() => {
          const { currentTime, readyState, seeking, paused, ended } = video;
          const state = JSON.stringify({ currentTime, readyState, seeking, paused, ended, isThere: video.isConnected });
          failed(new Error(`no picture 20 s after a jump: ${state}`));
        }, 20_000);
        const wait = () => {
          const goal = video.currentTime;
          const look = (now, { mediaTime }) => {
            if (mediaTime < goal - PICTURE_S || mediaTime > goal + NEAR_S) return video.requestVideoFrameCallback(look);
            clearTimeout(limit);
            shown(now);
          };
          video.requestVideoFrameCallback(look);
        };
        video.addEventListener("seeking", wait, { once: true });
      });
    document.addEventListener("click", () => { globalThis.pressed ??= performance.now(); }, { capture: true });
  });
}

/** Presses play; milliseconds until the first picture is on the screen. */
export async function press(page) {
  const name = /^(play|resume)/i;
  await page.getByRole("link", { name }).or(page.getByRole("button", { name })).first().click();
  await page.waitForFunction(() => globalThis.firstFrame !== undefined, undefined, { timeout: 60_000 });
  return page.evaluate(async () => (await globalThis.firstFrame) - globalThis.pressed);
}
