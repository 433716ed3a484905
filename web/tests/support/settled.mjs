/**
 * Waits until the page stands still: nothing of it is loading, what fades has faded, the pictures on the screen are there. What is
 * read, judged or photographed before that is a matter of luck.
 */
export async function settled(page) {
  await page.waitForFunction(() => {
    const loading = document.querySelector('[aria-busy="true"], .skeleton') || document.fonts.status !== "loaded";
    const moving = document
      .getAnimations()
      .some(
        (one) => one.playState === "running" && one.effect.getComputedTiming().endTime !== Number.POSITIVE_INFINITY,
      );
    const missing = [...document.images].some((image) => {
      const { top, bottom, left, right, width } = image.getBoundingClientRect();
      const seen = width > 0 && bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
      return seen && !image.complete;
    });
    return !loading && !moving && !missing;
  });
}
