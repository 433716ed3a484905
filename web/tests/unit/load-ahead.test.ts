import { expect, it } from "vitest";
import { loadAhead, UNTIL_SHOWN_S } from "@/player/load-ahead";

/** An element in the states that a real one goes through, and how far ahead is loaded in each. */
function showing() {
  const config = { maxMaxBufferLength: 90 };
  const video = Object.assign(new EventTarget(), { seeking: false, readyState: 0 });
  const stop = loadAhead(video as unknown as HTMLVideoElement, config);
  const after = (event: string, seeking: boolean, readyState: number) => {
    Object.assign(video, { seeking, readyState });
    video.dispatchEvent(new Event(event));
    return config.maxMaxBufferLength;
  };
  return { config, after, stop };
}

it("loads what is shown next before anything else: at the beginning and after each jump", () => {
  const { config, after } = showing();
  const steps = [
    ["nothing yet", config.maxMaxBufferLength, UNTIL_SHOWN_S],
    ["a jump before the first picture", after("seeking", true, 1), UNTIL_SHOWN_S],
    ["the first picture", after("loadeddata", false, 2), 90],
    ["it moves", after("playing", false, 4), 90],
    ["a jump", after("seeking", true, 1), UNTIL_SHOWN_S],
    ["another before its picture", after("seeking", true, 1), UNTIL_SHOWN_S],
    ["its picture", after("seeked", false, 2), 90],
  ];
  for (const [what, loaded, expected] of steps) expect([what, loaded]).toEqual([what, expected]);
});

it("keeps what the browser had no room for, and hears nothing once it is let go", () => {
  const { config, after, stop } = showing();
  after("loadeddata", false, 2);
  config.maxMaxBufferLength = 45;
  after("seeking", true, 1);
  expect(after("seeked", false, 2)).toBe(45);
  stop();
  expect(after("seeking", true, 1)).toBe(45);
});
