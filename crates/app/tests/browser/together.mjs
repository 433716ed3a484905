// Two people on a long line, and a third who comes late, watch one film at one time: they play, pause, seek, write, hear each other, and
// go on when the host's page is gone.
// Input: { ann: {url, email, password}, ben: {url, email, password}, title }. The urls lead over the long line to the same Kinora under
// two names, so that the browser keeps two people's cookies apart.
import { enter, must } from "./people.mjs";

/** What is promised. */
const APART_MAX_S = 0.2;
/** A picture that stands is put right for nothing. */
const STANDS_MAX_S = 0.06;
const PATIENCE_MS = 20_000;
/**
 * So much of the film later at the latest a press of the host's has reached the other. That is no measure of how soon it does, which on a
 * busy machine would be that machine's: the benchmarks measure it.
 */
const HEARD_S = 1;
/** Together for so long is no chance meeting of two films that run past each other. */
const SETTLED_MS = 400;
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
  seen.played = await watched(ann, ben, { act: () => ann.keyboard.press("k") });
  seen.sought = await watched(ann, ben, { act: () => ann.keyboard.press("2"), from: input.seconds / 5 });

  // Ben is no host: a press of his moves nothing.
  await ben.bringToFront();
  await ben.keyboard.press("k");
  await ben.getByText("Only the host may do that").first().waitFor();
  must(!(await isPaused(ben)), "a guest stopped the film", {});

  await ben.getByLabel("Write to the party").fill("k5 is what I typed, and the film went on");
  await ben.keyboard.press("Enter");
  await ann.getByText("k5 is what I typed").waitFor();
  must(!(await isPaused(ben)), "writing stopped the film", {});

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

/**
 * In every page: where its film is at which time, when it stopped, and the connections of its call; `relayed`: as behind a network that
 * lets nothing but a relay through.
 */
export function record({ relayed } = {}) {
  const now = () => performance.timeOrigin + performance.now();
  window.places = [];
  window.stopped = [];
  window.calls = [];
  document.addEventListener("pause", () => window.stopped.push(now()), true);
  const Connection = window.RTCPeerConnection;
  if (Connection)
    window.RTCPeerConnection = class extends Connection {
      constructor(configuration) {
        super(relayed ? { ...configuration, iceTransportPolicy: "relay" } : configuration);
        window.calls.push(this);
      }
    };
  setInterval(() => {
    const video = document.querySelector("video");
    if (!video) return;
    const still = video.paused || video.seeking || video.readyState < 3;
    window.places.push([now(), video.currentTime, still]);
    if (window.places.length > 4_000) window.places.splice(0, 2_000);
  }, 20);
}

export async function moves(page) {
  await page.waitForFunction(() => {
    const video = document.querySelector("video");
    return video && !video.paused && video.currentTime > 0.2 && video.readyState >= 3;
  });
}

/**
 * Looks for a while whether both films stay together: after `act` from `HEARD_S` of film on, else from when they come together, which is
 * waited for. With `from`, at that place. Figures in milliseconds: how far apart they were, before and after.
 */
export async function watched(one, other, { act, from } = {}) {
  const began = Date.now();
  await act?.();
  const isThere = ({ place }) => from === undefined || (place >= from && place < from + PATIENCE_MS / 1000);
  for (;;) {
    const seen = (await differences(one, other, began)).filter(isThere);
    const first = act ? heardAt(seen) : settledAt(seen);
    if (first >= 0) {
      const after = seen.slice(first);
      must(after.every(isTogether), "the films do not stay together", after.filter((one) => !isTogether(one)).slice(0, 5));
      if (after.at(-1).at - after[0].at >= WATCHED_MS) return { ...figures("apart", after), ...figures("before", seen.slice(0, first)) };
    }
    must(Date.now() - began < PATIENCE_MS, "the films do not come together", seen.slice(-3));
    await one.waitForTimeout(100);
  }
}

const isTogether = ({ apart }) => apart <= APART_MAX_S;

/** From where on they have been together for a while; -1 before that. */
function settledAt(seen) {
  return seen.findIndex(({ at }, index) => {
    const soon = seen.slice(index).filter((later) => later.at <= at + SETTLED_MS);
    return soon.every(isTogether) && seen.at(-1).at >= at + SETTLED_MS;
  });
}

/** From where on the other must have heard what began here. */
function heardAt(seen) {
  const begun = seen.find(({ isStill }) => !isStill);
  return begun ? seen.findIndex(({ place }) => place >= begun.place + HEARD_S) : -1;
}

/** How far apart two films were at each moment since: not to be told where one of them stood still. */
async function differences(one, other, since) {
  const read = (page) => page.evaluate((since) => window.places.filter(([at]) => at >= since), since);
  const [a, b] = await Promise.all([read(one), read(other)]);
  const found = [];
  let next = 0;
  for (const [at, place, isStill] of a) {
    while (next < b.length && b[next][0] < at) next += 1;
    if (next === 0) continue;
    if (next === b.length) break;
    const [[at0, place0, isStill0], [at1, place1, isStill1]] = [b[next - 1], b[next]];
    const there = place0 + ((at - at0) / (at1 - at0 || 1)) * (place1 - place0);
    const moving = !isStill && !isStill0 && !isStill1;
    found.push({ at, place, isStill, apart: moving ? Math.abs(place - there) : Number.NaN });
  }
  return found;
}

function figures(name, seen) {
  const moving = seen.map(({ apart }) => apart * 1000).filter((apart) => !Number.isNaN(apart));
  if (moving.length === 0) return {};
  const mean = moving.reduce((sum, apart) => sum + apart, 0) / moving.length;
  return { [`${name}_most_ms`]: Math.round(Math.max(...moving)), [`${name}_mean_ms`]: Math.round(mean) };
}

/** After a press of one's both stand still, at one place. Figures: how much of the film beyond it the other saw, in milliseconds. */
async function paused(one, other, press) {
  const began = await one.evaluate(() => performance.timeOrigin + performance.now());
  await press();
  for (const page of [one, other]) {
    await page.waitForFunction((began) => window.stopped.some((at) => at >= began), began);
    must(await isPaused(page), "it goes on", {});
  }
  const still = await standsAt(one, other);
  // Where the film came to before it was put right.
  const seen = (began) => window.places.filter(([at]) => at >= began).map(([, place]) => place);
  const places = await Promise.all([one, other].map((page) => page.evaluate(seen, began)));
  const [here, there] = places.map((all) => Math.max(...all));
  must(Math.abs(there - here) <= HEARD_S, "the other ran on", { here, there });
  return { beyond_ms: Math.round((there - here) * 1000), ...still };
}

/** Both stand there, or where one of them does. */
async function standsAt(one, other, place) {
  const began = Date.now();
  for (;;) {
    const [a, b] = await Promise.all([one, other].map((page) => page.evaluate(() => document.querySelector("video").currentTime)));
    const isThere = place === undefined || Math.abs(a - place) <= STANDS_MAX_S;
    if (isThere && Math.abs(a - b) <= STANDS_MAX_S) return { apart_ms: Math.round(Math.abs(a - b) * 1000) };
    must(Date.now() - began < PATIENCE_MS, "the films do not stand at one place", { a, b, place });
    await one.waitForTimeout(50);
  }
}

const isPaused = (page) => page.evaluate(() => document.querySelector("video").paused);

/** Both join the call; sound arrives at both. Bytes that each has heard. */
export async function call(one, other) {
  for (const page of [one, other]) await joinCall(page);
  return hearEachOther(one, other);
}

export async function joinCall(page) {
  await page.bringToFront();
  await page.getByRole("button", { name: "Join the call" }).click();
  await page.getByRole("button", { name: "Leave the call" }).waitFor();
}

/** Bytes that each has heard over the connections that it has now. */
export async function hearEachOther(one, other) {
  const began = Date.now();
  for (;;) {
    const connections = await Promise.all([one, other].map((page) => page.evaluate(connectionsNow)));
    const bytes = connections.map((all) => all.reduce((sum, connection) => sum + connection.bytes, 0));
    if (Math.min(...bytes) > 5_000) return bytes;
    must(Date.now() - began < PATIENCE_MS, "nothing is heard", { connections });
    await one.waitForTimeout(200);
  }
}

/** What each open connection of a page has heard, and how far it came. */
async function connectionsNow() {
  const found = [];
  for (const connection of window.calls) {
    const { signalingState, iceGatheringState, connectionState } = connection;
    if (connectionState === "closed") continue;
    let bytes = 0;
    for (const report of (await connection.getStats()).values())
      if (report.type === "inbound-rtp" && report.kind === "audio") bytes += report.bytesReceived;
    found.push({ bytes, signalingState, iceGatheringState, connectionState });
  }
  return found;
}
