// The server goes in the middle of a party and comes back: the host's page opens the party again, the other comes back to it.
// Input: { ann: {url, email, password}, ben: {…}, title, party }; ann is who opened the party. Ben's page says "ready" in the chat when
// the server may go.
import { enter, must } from "./people.mjs";
import { moves, record, watched } from "./together.mjs";

const LOST = "The line to the party is interrupted";

export default async function restart({ page, context, input }) {
  const seen = {};
  await context.addInitScript(record);
  const ann = page;
  const ben = await context.newPage();
  for (const [who, name] of [[ann, "ann"], [ben, "ben"]]) {
    await enter(who, input[name].url, input[name]);
    await who.goto(`${input[name].url}/watch/${input.title}?party=${input.party}`);
    await who.getByLabel("Write to the party").waitFor();
  }
  await ann.getByText("Host", { exact: true }).waitFor();
  await ann.bringToFront();
  await ann.keyboard.press("k");
  await Promise.all([moves(ann), moves(ben)]);
  seen.before = await watched(ann, ben);
  const place = await ann.evaluate(() => document.querySelector("video").currentTime);
  await ben.getByLabel("Write to the party").fill("ready");
  await ben.getByLabel("Write to the party").press("Enter");
  await Promise.all([ann, ben].map((who) => who.getByText(LOST).waitFor()));
  await Promise.all([ann, ben].map((who) => who.getByText(LOST).waitFor({ state: "detached", timeout: 60_000 })));
  seen.after = await watched(ann, ben);
  const now = await ann.evaluate(() => document.querySelector("video").currentTime);
  must(now > place, "the film began anew", { place, now });
  // Who was the host is the host, and is obeyed.
  await ann.getByText("Host", { exact: true }).waitFor();
  await ann.bringToFront();
  await ann.keyboard.press("k");
  await ben.waitForFunction(() => document.querySelector("video").paused);
  return seen;
}
