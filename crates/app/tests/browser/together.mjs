// Two people on a long line, and a third who comes late, watch one film at one time: they play, pause, seek, write, hear each other, and
// go on when the host's page is gone.
// Input: { ann: {url, email, password}, ben: {url, email, password}, title }. The urls lead over the long line to the same Kinora under
// two names, so that the browser keeps two people's cookies apart.
import { enter, must } from "./people.mjs";

/** What is promised. */
const APART_MAX_S = 0.2;
const PATIENCE_MS = 20_000;
const WATCHED_MS = 3_000;

export default async function together({ page, context, input, axe, shot }) {
  const seen = {};
  await context.addInitScript(record);
  const ann = page;
  const ben = await context.newPage();
  await enter(ann, input.ann.url, input.ann);
  await enter(ben, input.ben.url, input.ben);

  await ann.goto(`${input.ann.url}/watch/${input.title}`);
  await moves(ann);
  await ann.mouse.move(300, 300);
  await ann.getByRole("button", { name: "Watch together" }).click();
  const link = await ann.getByLabel("Link for your friends").inputValue();
  const invitation = new URL(link).pathname;
  await ben.goto(input.ben.url + invitation);
  await ben.getByRole("link", { name: "Join the party" }).click();
  await moves(ben);
  seen.joined = await watched(ann, ben);

  seen.paused = await paused(ann, ben, () => ann.keyboard.press("k"));
  await ann.bringToFront();
  await ann.keyboard.press("5");
  seen.soughtStill = await standsAt(ann, ben, input.seconds / 2);
  await ann.keyboard.press("k");
  seen.played = await watched(ann, ben);
  await ann.keyboard.press("2");
  seen.sought = await watched(ann, ben, input.seconds / 5);

  // Ben is no host: a press of his moves nothing.
  await ben.bringToFront();
  await ben.keyboard.press("k");
  await ben.getByText("Only the host may do that").first().waitFor();
  must(!(await ben.evaluate(() => document.querySelector("video").paused)), "a guest stopped the film", {});

  await ben.getByLabel("Write to the party").fill("k5 is what I typed, and the film went on");
  await ben.keyboard.press("Enter");
  await ann.getByText("k5 is what I typed").waitFor();
  must(!(await ben.evaluate(() => document.querySelector("video").paused)), "writing stopped the film", {});

  const late = await context.newPage();
  await late.goto(`${input.ann.url}${invitation}`);
  await late.getByRole("link", { name: "Join the party" }).click();
  await late.getByText("k5 is what I typed").waitFor();
  await moves(late);
  seen.late = await watched(late, ben);

  await ann.bringToFront();
  seen.findings = await axe();
  await shot("together");
  await ann.setViewportSize({ width: 360, height: 740 });
  seen.narrowFindings = await axe();
  await shot("together-narrow");

  // Back from where the film is soon over.
  await ann.keyboard.press("2");
  seen.heard = await call(ben, late);

  // The host's page goes without a word.
  await ann.close();
  await ben.getByRole("switch", { name: "Everybody may play, pause and seek" }).waitFor({ timeout: 40_000 });
  await ben.bringToFront();
  seen.afterHandOver = await paused(ben, late, () => ben.keyboard.press("k"));
  return seen;
}

/** In every page: where its film is at which time, and the connections of its call. */
export function record() {
  window.places = [];
  window.calls = [];
  const Connection = window.RTCPeerConnection;
  if (Connection)
    window.RTCPeerConnection = class extends Connection {
      constructor(...words) {
        super(...words);
        window.calls.push(this);
      }
    };
  setInterval(() => {
    const video = document.querySelector("video");
    if (!video) return;
    const still = video.paused || video.seeking || video.readyState < 3;
    window.places.push([performance.timeOrigin + performance.now(), video.currentTime, still]);
    if (window.places.length > 4_000) window.places.splice(0, 2_000);
  }, 20);
}

export async function moves(page) {
  await page.waitForFunction(() => {
    const video = document.querySelector("video");
    return video && !video.paused && video.currentTime > 0.2 && video.readyState >= 3;
  });
}

/** Waits until both films are together, then looks for a while at how far apart they are. Figures in milliseconds. */
export async function watched(one, other, from) {
  const began = Date.now();
  for (;;) {
    const now = await apart(one, other, 400);
    const there = from === undefined || (now?.at >= from && now?.at < from + PATIENCE_MS / 1000);
    if (there && now?.most <= APART_MAX_S) break;
    must(Date.now() - began < PATIENCE_MS, "the films do not come together", { now, from });
  }
  const together = Date.now() - began;
  const most = await apart(one, other, WATCHED_MS);
  must(most && most.most <= APART_MAX_S, "the films do not stay together", { most });
  return { together_ms: together, apart_ms: Math.round(most.most * 1000), mean_ms: Math.round(most.mean * 1000) };
}

/** How far apart the two are within the next while; nothing where one of them stood still. */
async function apart(one, other, during_ms) {
  await one.waitForTimeout(during_ms);
  const read = (page) => page.evaluate((ms) => {
    const since = performance.timeOrigin + performance.now() - ms;
    return window.places.filter(([at]) => at >= since);
  }, during_ms);
  const [a, b] = await Promise.all([read(one), read(other)]);
  if (a.length < 3 || b.length < 3 || [...a, ...b].some(([, , still]) => still)) return undefined;
  const differences = [];
  for (const [at, place] of a) {
    const next = b.findIndex(([time]) => time >= at);
    if (next <= 0) continue;
    const [before, after] = [b[next - 1], b[next]];
    const part = (at - before[0]) / (after[0] - before[0] || 1);
    differences.push(Math.abs(place - (before[1] + part * (after[1] - before[1]))));
  }
  if (differences.length < 3) return undefined;
  const sum = differences.reduce((total, difference) => total + difference, 0);
  return { most: Math.max(...differences), mean: sum / differences.length, at: a.at(-1)[1] };
}

/** After a press both stand still, at one place. */
async function paused(one, other, press) {
  const began = Date.now();
  await press();
  for (const page of [one, other]) await page.waitForFunction(() => document.querySelector("video").paused);
  const together = Date.now() - began;
  return { together_ms: together, ...(await standsAt(one, other)) };
}

async function standsAt(one, other, place) {
  const began = Date.now();
  for (;;) {
    const [a, b] = await Promise.all([one, other].map((page) => page.evaluate(() => document.querySelector("video").currentTime)));
    const there = place === undefined || Math.abs(a - place) < 0.5;
    if (there && Math.abs(a - b) <= 0.06) return { apart_ms: Math.round(Math.abs(a - b) * 1000) };
    must(Date.now() - began < PATIENCE_MS, "the films do not stand at one place", { a, b, place });
    await one.waitForTimeout(50);
  }
}

/** Both join the call; sound arrives at both. Bytes that each has heard. */
async function call(one, other) {
  for (const page of [one, other]) {
    await page.bringToFront();
    await page.getByRole("button", { name: "Join the call" }).click();
    await page.getByRole("button", { name: "Leave the call" }).waitFor();
  }
  const heard = (page) =>
    page.evaluate(async () => {
      let bytes = 0;
      for (const connection of window.calls)
        for (const report of (await connection.getStats()).values())
          if (report.type === "inbound-rtp" && report.kind === "audio") bytes += report.bytesReceived;
      return bytes;
    });
  const began = Date.now();
  for (;;) {
    const bytes = await Promise.all([heard(one), heard(other)]);
    if (Math.min(...bytes) > 5_000) return bytes;
    must(Date.now() - began < PATIENCE_MS, "nothing is heard", { bytes });
    await one.waitForTimeout(200);
  }
}
