/** Videos on their way, in a real browser: several at once, across a reload, dropped on the page, given up. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { axe, type Stage, stage } from "../support/browser";

let house: Stage;
beforeAll(async () => {
  house = await stage();
});
afterAll(() => house.stop());
beforeEach(() => house.reset());

const video = (name: string, fill = 7, size = 400_000) => ({
  name,
  mimeType: "video/x-matroska",
  buffer: Buffer.alloc(size, fill),
});
/** A real file, which is as old when it is chosen again. */
function onDisk(name: string, fill: number): string {
  const folder = mkdtempSync(join(tmpdir(), "kinora-upload-"));
  const path = join(folder, name);
  writeFileSync(path, Buffer.alloc(400_000, fill));
  return path;
}

const here = "The video is here. Transcoding has started.";
const calls = (method: string) =>
  house.state.calls.filter(
    (call: { method: string; path: string }) => call.method === method && call.path.startsWith("/admin/uploads"),
  );

const made = () =>
  house.state.calls.filter(
    (call: { method: string; path: string }) => call.method === "POST" && call.path === "/admin/titles",
  );
const titlesOf = (filename: string) =>
  [...house.state.uploads.values()]
    .filter(({ metadata }) => metadata.filename === filename)
    .map(({ metadata }) => metadata.title_id)
    .sort();

async function chooseMany(page: Page, files: ReturnType<typeof video>[]) {
  await page.getByRole("button", { name: "Upload videos" }).click();
  await page.getByLabel("Choose video files").setInputFiles(files);
}

describe("several videos", () => {
  it("go two at a time, each to its title, a new one where there is none", async () => {
    let open = () => {};
    house.state.uploadGate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const page = await house.open("/admin/titles");
    await chooseMany(page, [video("Nosferatu.1922.mkv"), video("My holiday (2024).mkv"), video("Third.mkv")]);
    const dialog = page.getByRole("dialog", { name: "Upload videos" });
    await dialog
      .getByLabel("Title of Nosferatu.1922.mkv")
      .locator("option:checked", { hasText: "Nosferatu" })
      .waitFor({ state: "attached" });
    expect(await axe(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Send 3 videos" }).click();
    const list = page.getByRole("region", { name: "Videos on their way" });
    await list.getByText("waiting for its turn").waitFor();
    await expect.poll(() => calls("PATCH").length).toBe(2);
    expect(await axe(page)).toEqual([]);
    open();
    await expect.poll(() => list.getByText(here).count()).toBe(3);
    const sent = [...house.state.uploads.values()].map(({ metadata, offset }) => [
      metadata.filename,
      metadata.title_id,
      offset,
    ]);
    expect(sent).toContainEqual(["Nosferatu.1922.mkv", "t2", 400_000]);
    expect(sent).toContainEqual(["My holiday (2024).mkv", "t99", 400_000]);
    expect(made().map(({ body }: { body: unknown }) => body)).toMatchObject([
      { kind: "film", name: "My holiday", year: 2024 },
      { name: "Third" },
    ]);
    await page.context().close();
  });

  it("make each title once, however often one presses, and try again only what failed", async () => {
    let open = () => {};
    house.state.titleGate = new Promise<void>((resolve) => {
      open = resolve;
    });
    house.state.titleFailures = [0, 503];
    const page = await house.open("/admin/titles");
    await chooseMany(page, [video("Home.mkv", 1), video("Home.mkv", 2)]);
    const dialog = page.getByRole("dialog", { name: "Upload videos" });
    await dialog.getByRole("button", { name: "Send 2 videos" }).click();
    await page.keyboard.press("Enter");
    expect(await axe(page)).toEqual([]);
    open();
    await dialog.getByText("The catalogue does not answer.").waitFor();
    await expect.poll(() => dialog.getByRole("group").count()).toBe(1);
    await dialog.getByRole("button", { name: "Send 1 video" }).click();
    await dialog.waitFor({ state: "detached" });
    await expect.poll(() => page.getByText(here).count()).toBe(2);
    expect(titlesOf("Home.mkv")).toEqual(["t100", "t99"]);
    expect(made()).toHaveLength(3);
    await page.context().close();
  });

  it("of one name go each to its own title", async () => {
    const page = await house.open("/admin/titles");
    await chooseMany(page, [video("Nosferatu.mkv", 1), video("Nosferatu.mkv", 2)]);
    const dialog = page.getByRole("dialog", { name: "Upload videos" });
    const titles = dialog.getByLabel("Title of Nosferatu.mkv");
    for (const at of [0, 1])
      await titles
        .nth(at)
        .locator("option:checked", { hasText: /^Nosferatu/ })
        .waitFor({ state: "attached" });
    await titles.nth(1).selectOption("");
    await dialog.getByRole("button", { name: "Send 2 videos" }).click();
    await expect.poll(() => page.getByText(here).count()).toBe(2);
    expect(titlesOf("Nosferatu.mkv")).toEqual(["t2", "t99"]);
    expect(made()).toHaveLength(1);
    await page.context().close();
  });

  it("are refused in words before a byte is sent", async () => {
    house.state.uploadBytesLeft = 100_000;
    const page = await house.open("/admin/titles");
    await chooseMany(page, [
      video("Nosferatu.mkv"),
      { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("hello") },
    ]);
    await page.getByText("Your uploads may take 100 kB more.").waitFor();
    await page.getByText("That does not look like a video file.").waitFor();
    expect(await page.getByRole("button", { name: "Send 0 videos" }).isDisabled()).toBe(true);
    expect(calls("POST")).toEqual([]);
    await page.context().close();
  });
});

describe("an upload", () => {
  it("goes on after a reload with the same file, and with no other", async () => {
    house.state.uploadBreaks = 1000;
    const [film, other] = [onDisk("nosferatu.mkv", 7), onDisk("nosferatu.mkv", 8)];
    const page = await house.open("/admin/titles");
    await page.getByRole("button", { name: "Upload a video for Nosferatu" }).click();
    await page.getByLabel("Choose a video file").setInputFiles(film);
    await expect.poll(() => house.state.uploads.get("u1")?.offset ?? 0).toBeGreaterThan(0);
    await page.reload();
    house.state.uploadBreaks = 0;
    const { offset } = house.state.uploads.get("u1");
    const list = page.getByRole("region", { name: "Videos on their way" });
    const again = list.getByLabel("Choose nosferatu.mkv again");
    await again.setInputFiles(other);
    await list.getByText("That is not the file that was begun.").waitFor();
    expect(await axe(page)).toEqual([]);
    const before = calls("PATCH").length;
    await again.setInputFiles(film);
    await list.getByText(here).waitFor();
    expect(house.state.uploads.size).toBe(1);
    expect(offset).toBeGreaterThan(0);
    expect(calls("PATCH").length).toBe(before + 1);
    await page.context().close();
  });

  it.each([
    ["the session has run out", 401],
    ["the server is busy", 429],
    ["a proxy in between finds nobody", 502],
  ])("goes on where it got to though %s when it asks (%d)", async (_why, status) => {
    house.state.uploadBreaks = 1;
    house.state.uploadHeads = [status];
    const page = await house.open("/admin/titles");
    await page.getByRole("button", { name: "Upload a video for Nosferatu" }).click();
    await page.getByLabel("Choose a video file").setInputFiles(video("nosferatu.mkv"));
    await page.getByRole("region", { name: "Videos on their way" }).getByText(here).waitFor();
    expect([...house.state.uploads.keys()]).toEqual(["u1"]);
    expect(house.state.uploadHeads).toEqual([]);
    const asked = house.state.calls.map(({ method, path }: { method: string; path: string }) => `${method} ${path}`);
    const refreshed = asked.filter((one: string) => one === "POST /auth/refresh").length;
    expect(refreshed).toBe(status === 401 ? 1 : 0);
    await page.context().close();
  });

  it("begins anew where what was sent is gone", async () => {
    house.state.uploadBreaks = 1;
    house.state.uploadHeads = [410];
    const page = await house.open("/admin/titles");
    await page.getByRole("button", { name: "Upload a video for Nosferatu" }).click();
    await page.getByLabel("Choose a video file").setInputFiles(video("nosferatu.mkv"));
    await page.getByRole("region", { name: "Videos on their way" }).getByText(here).waitFor();
    expect(house.state.uploads.get("u2").offset).toBe(400_000);
    await page.context().close();
  });

  it("pauses, resumes, and is given up", async () => {
    house.state.uploadBreaks = 1000;
    const page = await house.open("/admin/titles");
    await page.getByRole("button", { name: "Upload a video for Nosferatu" }).click();
    await page.getByLabel("Choose a video file").setInputFiles(video("nosferatu.mkv"));
    await expect.poll(() => house.state.uploads.get("u1")?.offset ?? 0).toBeGreaterThan(0);
    const list = page.getByRole("region", { name: "Videos on their way" });
    await list.getByRole("button", { name: "Pause" }).click();
    await list.getByText("paused").waitFor();
    await list.getByRole("button", { name: "Resume" }).click();
    await list.getByRole("button", { name: "Pause" }).waitFor();
    await list.getByRole("button", { name: "Cancel nosferatu.mkv" }).click();
    await list.waitFor({ state: "detached" });
    await expect.poll(() => house.state.uploads.size).toBe(0);
    await page.context().close();
  });

  it("begins where a file is dropped on a title's row", async () => {
    const page = await house.open("/admin/titles");
    const row = page.locator("[data-title-id=t2]");
    const files = await page.evaluateHandle(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(50_000).fill(7)], "nosferatu.mkv", { type: "video/x-matroska" }));
      return transfer;
    });
    await row.dispatchEvent("dragenter", { dataTransfer: files });
    await page.locator("[data-drop=true]").waitFor();
    await row.dispatchEvent("drop", { dataTransfer: files });
    await page.getByText(here).waitFor();
    expect(house.state.uploads.get("u1").metadata).toMatchObject({ title_id: "t2", purpose: "video" });
    await page.getByRole("heading", { name: "Curate" }).dispatchEvent("drop", { dataTransfer: files });
    await page.getByRole("dialog", { name: "Upload videos" }).waitFor();
    await page.context().close();
  });
});
