/** Pages in Debian's chromium against the fixture server: opening, axe, and what a page must never do. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { startFixture } from "./fixture.mjs";
import { settled } from "./settled.mjs";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface Stage {
  url: string;
  // biome-ignore lint/suspicious/noExplicitAny: the fixture's memory is a bag of data that tests set.
  state: any;
  reset: () => void;
  open: (path: string, options?: BrowserContextOptions & { profile?: string | null }) => Promise<Page>;
  stop: () => Promise<void>;
}

/** Starts the fixture and a browser; each `open` is a new context that fails the test on a script error. */
export async function stage(options: { media?: string } = {}): Promise<Stage> {
  const fixture = await startFixture(options);
  const browser: Browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: FLAGS,
  });
  const open: Stage["open"] = async (path, { profile = "p1", ...context } = {}) => {
    const made = await browser.newContext({
      viewport: { width: 1280, height: 800 },
      reducedMotion: "reduce",
      ...context,
    });
    if (profile)
      await made.addInitScript(
        (id) => localStorage.getItem("kinora.profile") ?? localStorage.setItem("kinora.profile", id),
        profile,
      );
    made.setDefaultTimeout(12_000);
    const page = await made.newPage();
    page.on("pageerror", (error) => {
      throw error;
    });
    await page.goto(fixture.url + path);
    await page.locator("main").first().waitFor({ state: "attached" });
    return page;
  };
  return {
    url: fixture.url,
    state: fixture.state,
    reset: fixture.reset,
    open,
    stop: async () => {
      await browser.close();
      await fixture.stop();
    },
  };
}

interface Finding {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

/** What axe finds on the settled page by WCAG 2.2 A and AA and its own best practices, in short lines; none is what we want. */
export async function axe(page: Page): Promise<string[]> {
  await settled(page);
  await page.evaluate(axeSource);
  const findings = (await page.evaluate(
    // biome-ignore lint/suspicious/noExplicitAny: axe puts itself on the window.
    () => (window as any).axe.run(document, { resultTypes: ["violations"] }).then((result: any) => result.violations),
  )) as Finding[];
  return findings.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary.slice(0, 240)}`),
  );
}

/** Three minutes of moving picture at two heights as HLS, made once by ffmpeg: longer than a busy machine takes for a test. */
export function testStream(): string {
  const folder = join(mkdtempSync(join(tmpdir(), "kinora-page-")), "film");
  mkdirSync(folder, { recursive: true });
  const split = "[0:v]split=2[a][b];[a]scale=320:180[low];[b]scale=640:360[high]";
  const inputs = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=12:d=180", "-f", "lavfi", "-i", "sine=d=180"];
  const video = [
    "-map",
    "[low]",
    "-map",
    "1:a",
    "-map",
    "[high]",
    "-map",
    "1:a",
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-g",
    "24",
    "-sc_threshold",
    "0",
    "-pix_fmt",
    "yuv420p",
  ];
  const rates = ["-b:v:0", "200k", "-b:v:1", "800k", "-c:a", "aac", "-b:a", "64k"];
  const hls = [
    "-f",
    "hls",
    "-hls_time",
    "2",
    "-hls_playlist_type",
    "vod",
    "-hls_segment_type",
    "fmp4",
    "-var_stream_map",
    "v:0,a:0 v:1,a:1",
    "-master_pl_name",
    "master.m3u8",
    `${folder}/v%v.m3u8`,
  ];
  execFileSync("ffmpeg", ["-loglevel", "error", "-y", ...inputs, "-filter_complex", split, ...video, ...rates, ...hls]);
  if (!existsSync(join(folder, "master.m3u8"))) throw new Error("ffmpeg made no stream");
  return join(folder, "..");
}
