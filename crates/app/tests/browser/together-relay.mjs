// Two people whom no direct way connects hear each other, and again once each has loaded the page anew.
// Input: { ann: {url, email, password}, ben: {…}, title, party }. Seen: the ways that the sound took.
import { enter } from "./people.mjs";
import { call, hearEachOther, joinCall, record } from "./together.mjs";

export default async function relay({ page, context, input }) {
  await context.addInitScript(record, { relayed: true });
  const ann = page;
  const ben = await context.newPage();
  for (const [who, name] of [[ann, "ann"], [ben, "ben"]]) {
    await enter(who, input[name].url, input[name]);
    await who.goto(`${input[name].url}/watch/${input.title}?party=${input.party}`);
    await who.getByLabel("Write to the party").waitFor();
  }
  await call(ann, ben);
  for (const who of [ben, ann]) {
    await who.reload();
    await joinCall(who);
    await hearEachOther(ann, ben);
  }
  return { ways: (await Promise.all([ann, ben].map((who) => who.evaluate(ways)))).flat() };
}

/** The kinds of place that each connection of a page sends from and to. */
async function ways() {
  const found = [];
  for (const connection of window.calls.filter(({ connectionState }) => connectionState !== "closed")) {
    const reports = await connection.getStats();
    for (const { type, selectedCandidatePairId } of reports.values()) {
      if (type !== "transport") continue;
      const pair = reports.get(selectedCandidatePairId);
      const place = (id) => reports.get(id).candidateType;
      found.push([place(pair.localCandidateId), place(pair.remoteCandidateId)]);
    }
  }
  return found;
}
