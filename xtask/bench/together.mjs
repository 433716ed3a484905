// A watch party of two on a long line: how much later than the host's the other's picture stops, goes on, and is where the host jumped to,
// in milliseconds; and how long after the key both have done so.
// Input: { host, guest: persons, title, latency: of the line there and back, rounds, keys: to jump with }.
import { connect, createServer } from "node:net";
import { enter } from "./viewer.mjs";

const PATIENCE_MS = 20_000;
/** A picture is where it should be. */
const THERE_S = 0.06;

export default async ({ page, context, url, input }) => {
  const line = await lineTo(new URL(url), input.latency / 2);
  const house = await context.browser().newContext({ viewport: page.viewportSize() });
  try {
    await Promise.all([context, house].map((who) => who.addInitScript(record)));
    const [host, guest] = [page, await house.newPage()];
    const party = await opened(host, line.url, input);
    await enter(guest, line.url, input.guest);
    for (const who of [host, guest]) await who.goto(`${line.url}/watch/${input.title}?party=${party}`);
    for (const who of [host, guest]) await who.getByLabel("Write to the party").waitFor();
    await press(host, guest, "k", "playing");
    const measured = { pause: [], play: [], jump: [] };
    for (let round = 0; round < input.rounds; round += 1) {
      const tenth = input.keys[round % input.keys.length];
      measured.jump.push(await press(host, guest, tenth, "seeked", Number(tenth) / 10));
      await together(host, guest);
      measured.pause.push(await press(host, guest, "k", "pause"));
      await together(host, guest);
      measured.play.push(await press(host, guest, "k", "playing"));
      await together(host, guest);
    }
    return measured;
  } finally {
    await house.close();
    line.close();
  }
};

/** A line whose bytes come so much later, each way: what slows a browser down leaves WebSockets out. */
async function lineTo({ hostname, port }, delay_ms) {
  const sockets = new Set();
  const carry = (from, to) => {
    sockets.add(from);
    const later = (run) => setTimeout(run, delay_ms);
    from.setNoDelay(true);
    from.on("data", (piece) => later(() => to.write(piece)));
    from.on("end", () => later(() => to.end()));
    from.on("error", () => to.destroy());
    from.on("close", () => sockets.delete(from));
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const onward = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    carry(client, onward);
    carry(onward, client);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

/** In every page: when which key was pressed, and when what happened to the film. */
function record() {
  const now = () => performance.timeOrigin + performance.now();
  window.happened = [];
  const note = ({ type, target }) => window.happened.push({ type, at: now(), place: target.currentTime, total: target.duration });
  for (const type of ["pause", "playing", "seeked"]) document.addEventListener(type, note, true);
  document.addEventListener("keydown", () => { window.pressedAt = now(); }, true);
}

async function opened(host, url, { host: person, title }) {
  await enter(host, url, person);
  return host.evaluate(async (title_id) => {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/api/v1/parties", { method: "POST", headers, body: JSON.stringify({ title_id }) });
    if (answer.status !== 201) throw new Error(`opening a party answered ${answer.status}`);
    return (await answer.json()).id;
  }, title);
}

/** A key of the host's, and when what it does has happened on both pages; with `share`, at that place of the film. */
async function press(host, guest, key, type, share) {
  await host.bringToFront();
  await Promise.all([host, guest].map((who) => who.evaluate(() => { window.happened = []; })));
  await host.keyboard.press(key);
  const [here, there] = await Promise.all([host, guest].map((who) => happened(who, type, share)));
  const pressed = await host.evaluate(() => window.pressedAt);
  return { later: there - here, after: Math.max(here, there) - pressed };
}

async function happened(page, type, share) {
  const found = ({ type, share }) => {
    const isThere = ({ place, total }) => share === undefined || Math.abs(place - share * total) < 2;
    return window.happened.find((one) => one.type === type && isThere(one))?.at;
  };
  const handle = await page.waitForFunction(found, { type, share }, { polling: 20, timeout: PATIENCE_MS });
  return handle.jsonValue();
}

/** Both stand at one place, or run at one; what is measured next begins there. */
async function together(host, guest) {
  const look = (page) =>
    page.evaluate(() => {
      const { currentTime, paused, seeking } = document.querySelector("video");
      return { at: performance.timeOrigin + performance.now(), place: currentTime, paused, seeking };
    });
  const began = Date.now();
  let since;
  for (;;) {
    const [a, b] = await Promise.all([look(host), look(guest)]);
    const passed = a.paused ? 0 : (b.at - a.at) / 1000;
    const isRight = a.paused === b.paused && !a.seeking && !b.seeking && Math.abs(b.place - a.place - passed) < THERE_S;
    since = isRight ? (since ?? Date.now()) : undefined;
    // For a while: not two films that run past each other.
    if (since !== undefined && Date.now() - since > 500) return;
    if (Date.now() - began > PATIENCE_MS) throw new Error(`the films do not come together: ${JSON.stringify({ a, b })}`);
    await host.waitForTimeout(50);
  }
}
