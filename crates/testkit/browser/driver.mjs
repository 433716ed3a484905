// Runs one browser script: reads the order as JSON on standard input, writes {"value": …} as its last line.
// The packages are the page's own (web/node_modules), the browser is the system's.
import { mkdtempSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { settled } from "../../../web/tests/support/settled.mjs";

const order = JSON.parse(readFileSync(0, "utf8"));
const require = createRequire(order.modules);
const { chromium } = require("playwright-core");
const profile = mkdtempSync(join(tmpdir(), "kinora-browser-"));
const modules = join(dirname(order.modules), "node_modules");
const said = [];

const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  viewport: { width: order.width, height: order.height },
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    // A microphone that beeps, given without a question; calls between pages of one machine.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
  ],
});
context.setDefaultTimeout(20_000);
const page = context.pages()[0] ?? (await context.newPage());
page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
page.on("pageerror", (error) => said.push(`error: ${error.stack ?? error}`));
page.on("requestfailed", (request) => said.push(`failed: ${request.url()} ${request.failure()?.errorText}`));

/** Keeps a picture of the page and gives back where. */
async function shot(name) {
  mkdirSync(order.pictures, { recursive: true });
  const path = join(order.pictures, `${name}.png`);
  await page.screenshot({ path });
  return path;
}

/** What axe finds on the page once it stands still: a list of {id, impact, nodes}. */
async function axe() {
  await settled(page);
  await page.evaluate(readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.map((node) => node.html) }));
}

let status = 0;
try {
  const script = await import(pathToFileURL(order.script).href);
  const value = await script.default({ page, context, url: order.url, input: order.input, axe, settled: () => settled(page), shot, said, modules });
  console.log(JSON.stringify({ value: value ?? null }));
} catch (error) {
  status = 1;
  console.error(error.stack ?? error);
  console.error(`at ${page.url()}, picture: ${await shot("failed").catch(() => "none")}`);
  console.error(said.slice(-40).join("\n"));
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
process.exitCode = status;
