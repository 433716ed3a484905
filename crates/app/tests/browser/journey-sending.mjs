// A curator drops a film on the desk over a slow line and closes the laptop half-way; the next day the page goes on where it got to.
// Input: { admin: {email, password}, title: "name", film: "path", closed: "path", back: "path" }: the first is written when the laptop is
// closed, the second is there when the server has come back.
import { existsSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout } from "node:timers/promises";
import { enter, must } from "./people.mjs";

const SLOW_BYTES_S = 300_000;
const HALF_WAY = 30;
const TRANSCODE_MS = 240_000;

export default async function sending({ page, context, url, input, shot }) {
  const seen = { created: 0, pieces: [] };
  const isUpload = (request) => new URL(request.url()).pathname.includes("/admin/uploads");
  context.on("request", (request) => {
    if (isUpload(request) && request.method() === "POST") seen.created += 1;
  });
  await enter(page, url, input.admin);
  await page.goto(`${url}/admin/titles`);
  const row = page.locator("[data-title-id]").filter({ hasText: input.title });
  await row.waitFor();
  await slow(context, page);
  await drop(context, page, row, input.film);
  const bar = page.getByRole("progressbar", { name: `${basename(input.film)} on its way` });
  await bar.waitFor();
  await page.waitForFunction(
    ([bar, least]) => Number(bar.getAttribute("aria-valuenow")) >= least,
    [await bar.elementHandle(), HALF_WAY],
    { timeout: 120_000 },
  );
  await shot("journey-half-way");
  await page.close({ runBeforeUnload: false });
  writeFileSync(input.closed, "");
  while (!existsSync(input.back)) await setTimeout(50);

  const later = await context.newPage();
  later.on("response", (answer) => {
    const isAsked = isUpload(answer.request()) && answer.request().method() === "HEAD";
    if (isAsked) seen.offset = Number(answer.headers()["upload-offset"]);
  });
  later.on("request", (request) => {
    if (isUpload(request) && request.method() === "PATCH") seen.pieces.push(Number(request.headers()["upload-offset"]));
  });
  await later.goto(`${url}/admin/titles`);
  const list = later.getByRole("region", { name: "Videos on their way" });
  await list.getByLabel(`Choose ${basename(input.film)} again`).setInputFiles(input.film);
  await list.getByText("The video is here. Transcoding has started.").waitFor();
  await list.getByRole("link").click();
  const job = later.locator("article.job").first();
  await job.getByText("Done", { exact: true }).waitFor({ timeout: TRANSCODE_MS });
  seen.title = await later.evaluate(async (name) => {
    const titles = await (await fetch(`/api/v1/titles?limit=50`)).json();
    return titles.items.find((title) => title.name === name && title.playable)?.id;
  }, input.title);
  must(seen.title, "the title cannot be played", seen);
  return seen;
}

/** A file of this machine, dragged from outside the browser and let go there. */
async function drop(context, page, place, file) {
  const { x, y, width, height } = await place.boundingBox();
  const mouse = await context.newCDPSession(page);
  const drag = { x: x + width / 2, y: y + height / 2, data: { items: [], files: [file], dragOperationsMask: 1 } };
  await mouse.send("Input.dispatchDragEvent", { type: "dragEnter", ...drag });
  await page.locator("[data-drop=true]").waitFor();
  await mouse.send("Input.dispatchDragEvent", { type: "dragOver", ...drag });
  await mouse.send("Input.dispatchDragEvent", { type: "drop", ...drag });
}

async function slow(context, page) {
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  await network.send("Network.emulateNetworkConditions", { offline: false, latency: 40, downloadThroughput: -1, uploadThroughput: SLOW_BYTES_S });
}
