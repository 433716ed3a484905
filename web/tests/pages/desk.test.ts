/** What curators do at their desk, in a real browser: upload a film, change a title, make an episode. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { axe, type Stage, stage } from "../support/browser";

let house: Stage;
beforeAll(async () => {
  house = await stage();
});
afterAll(() => house.stop());
beforeEach(() => house.reset());

const bodies = (method: string, path: string) =>
  house.state.calls
    .filter((call: { method: string; path: string }) => call.method === method && call.path === path)
    .map((call: { body: unknown }) => call.body);

describe("a film for a title", () => {
  it("is sent in pieces, goes on after a lost one, and says that it is being prepared", async () => {
    house.state.uploadBreaks = 1;
    const page = await house.open("/admin/titles");
    await page.getByRole("button", { name: "Upload a video for Nosferatu" }).click();
    await page.getByRole("dialog", { name: "Video for Nosferatu" }).waitFor();
    expect(await axe(page)).toEqual([]);
    const film = { name: "nosferatu.mkv", mimeType: "video/x-matroska", buffer: Buffer.alloc(9 * 1024 * 1024, 7) };
    await page.getByLabel("Choose a video file").setInputFiles(film);
    await page.getByText("The video is here. Transcoding has started.").waitFor();
    expect(await axe(page)).toEqual([]);
    const { offset, length, metadata } = house.state.uploads.get("u1");
    expect([offset, length]).toEqual([film.buffer.length, film.buffer.length]);
    expect(metadata).toMatchObject({ title_id: "t2", filename: "nosferatu.mkv" });
    await page.getByRole("link", { name: "See the jobs" }).click();
    await page.waitForURL(`${house.url}/admin/jobs`);
    await page.context().close();
  });

  it("says why it stopped, and goes on when told to", async () => {
    house.state.failing.set("POST /admin/uploads", 422);
    const page = await house.open("/admin/titles");
    await page.getByRole("button", { name: "Upload a video for Nosferatu" }).click();
    const film = { name: "nosferatu.mkv", mimeType: "video/x-matroska", buffer: Buffer.alloc(1024, 7) };
    await page.getByLabel("Choose a video file").setInputFiles(film);
    await page.getByText("The upload stopped").waitFor();
    expect(await axe(page)).toEqual([]);
    house.state.failing.clear();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("The video is here. Transcoding has started.").waitFor();
    await page.context().close();
  });
});

describe("a title", () => {
  it("is changed in what was changed and nothing else", async () => {
    const page = await house.open("/admin/titles");
    await page.getByRole("button", { name: "Edit Nosferatu" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit title" });
    await dialog.getByLabel("Name", { exact: true }).fill("Nosferatu, a Symphony of Horror");
    expect(await axe(page)).toEqual([]);
    await dialog.getByLabel("Year").fill("");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByText("Nosferatu, a Symphony of Horror is saved.").waitFor();
    expect(bodies("PATCH", "/admin/titles/t2")).toEqual([{ name: "Nosferatu, a Symphony of Horror", year: null }]);
    await page.getByRole("button", { name: "Edit Nosferatu, a Symphony of Horror" }).waitFor();
    await page.context().close();
  });

  it("has its credits where a curator says, and no such field where nothing plays", async () => {
    const page = await house.open("/admin/titles?edit=t3");
    const dialog = page.getByRole("dialog", { name: "Edit title" });
    const begin = dialog.getByLabel("End credits begin at");
    await begin.fill("soon");
    await dialog.getByRole("button", { name: "Save" }).click();
    // The browser says what is wrong with it, and nothing is sent.
    expect(await begin.evaluate((input: HTMLInputElement) => input.matches(":invalid"))).toBe(true);
    await begin.fill("1:29:30");
    expect(await axe(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(bodies("PATCH", "/admin/titles/t3/video")).toEqual([{ credits_at_s: 5370 }]);
    expect(bodies("PATCH", "/admin/titles/t3")).toEqual([]);
    await page.goto(`${house.url}/admin/titles?edit=t3`);
    await begin.waitFor();
    expect(await begin.inputValue()).toBe("1:29:30");
    await page.goto(`${house.url}/admin/titles?edit=t4`);
    await dialog.getByLabel("Description").waitFor();
    expect(await begin.count()).toBe(0);
    await page.context().close();
  });

  it.each([
    [360, 780],
    [1280, 800],
    [3840, 2160],
  ])("has its opening and chapters where a curator says, at %d pixels", async (width, height) => {
    const page = await house.open("/admin/titles?edit=t3", { viewport: { width, height } });
    const dialog = page.getByRole("dialog", { name: "Edit title" });
    await dialog.getByLabel("Opening begins at").fill("0:00");
    await dialog.getByLabel("Opening ends at").fill("1:30");
    await dialog.getByLabel("Name of chapter 2").fill("The crossing, with a name as long as names can be, all of it.");
    await dialog.getByRole("button", { name: "Add a chapter" }).click();
    const time = dialog.getByLabel("Time of chapter 3");
    await time.fill("1:34:00");
    await dialog.getByRole("button", { name: "Save" }).click();
    // It begins where the video ends.
    expect(await time.evaluate((input: HTMLInputElement) => input.matches(":invalid"))).toBe(true);
    await time.fill("10:00");
    expect(await axe(page)).toEqual([]);
    // Nothing is wider than the form, and what is pressed is large enough for a finger.
    const boxes = await dialog.locator(".credit--timed > *").evaluateAll((parts) =>
      parts.map((part) => {
        const [box, form] = [part.getBoundingClientRect(), part.closest("form")?.getBoundingClientRect()];
        return form && box.left >= form.left && box.right <= form.right && box.height >= 24 && box.width >= 24;
      }),
    );
    expect(boxes).toEqual(Array(9).fill(true));
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    const chapters = [
      { start_s: 0, name: "The letter" },
      { start_s: 600, name: null },
      { start_s: 1207.5, name: "The crossing, with a name as long as names can be, all of it" },
    ];
    // One write for all of it.
    expect(bodies("PATCH", "/admin/titles/t3/video")).toEqual([{ intro: { start_s: 0, end_s: 90 }, chapters }]);
    await page.goto(`${house.url}/admin/titles?edit=t3`);
    await dialog.getByRole("button", { name: "Take the file’s own chapters" }).click();
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(bodies("PATCH", "/admin/titles/t3/video").at(-1)).toEqual({ chapters: null });
    await page.context().close();
  });

  it("has subtitles in files of their own, which are sent, named and taken away by keyboard", async () => {
    const page = await house.open("/admin/titles?edit=t3");
    const dialog = page.getByRole("dialog", { name: "Edit title" });
    const choose = dialog.getByLabel("Choose files of subtitles");
    const send = (...names: string[]) =>
      choose.setInputFiles(
        names.map((name) => ({ name, mimeType: "application/x-subrip", buffer: Buffer.from(`${name}\n`) })),
      );
    const chosen = (label: string) => dialog.getByLabel(label).evaluate((select: HTMLSelectElement) => select.value);
    await send("Heat.de.forced.srt", "broken.srt", "Heat.srt");
    await dialog.getByText("Heat.de.forced.srt, Heat.srt are there.").waitFor();
    // What is wrong with one holds up no other.
    await dialog.getByText("broken.srt: it is no text.").waitFor();
    const german = ["Language of Heat.de.forced.srt", "What Heat.de.forced.srt is for"] as const;
    const other = ["Language of Heat.srt", "What Heat.srt is for"] as const;
    expect(await Promise.all([...german, ...other].map(chosen))).toEqual(["de", "forced", "", "subtitles"]);
    expect(await axe(page)).toEqual([]);
    await dialog.getByLabel(other[0]).focus();
    await page.keyboard.type("French");
    await dialog.getByLabel(other[1]).selectOption("For the hard of hearing");
    const named = () => house.state.subtitles.get("t3").find((file: { filename: string }) => file.filename === "Heat.srt");
    await expect.poll(() => [named().language, named().kind]).toEqual(["fr", "captions"]);
    house.state.failing.set(`PUT /admin/titles/t3/subtitles/${named().id}`, 503);
    await dialog.getByLabel(other[1]).selectOption("What is said");
    await dialog.getByText("The recommender does not answer.").waitFor();
    expect(await chosen(other[1]), "what is shown is what counts").toBe("captions");
    house.state.failing.clear();
    await dialog.getByRole("button", { name: "Remove Heat.srt" }).focus();
    await page.keyboard.press("Enter");
    await dialog.getByText("Heat.srt is removed.").waitFor();
    await dialog.getByLabel(other[0]).waitFor({ state: "detached" });
    expect(await choose.evaluate((input) => input === document.activeElement)).toBe(true);
    expect(await chosen(german[0])).toBe("de");
    await page.context().close();
  });

  it("says what is wrong with a list of subtitles that cannot be read, and reads it again", async () => {
    house.state.failing.set("GET /admin/titles/t3/subtitles", 503);
    const page = await house.open("/admin/titles?edit=t3");
    const dialog = page.getByRole("dialog", { name: "Edit title" });
    await dialog.getByText("What is there cannot be shown").waitFor();
    expect(await axe(page)).toEqual([]);
    house.state.failing.clear();
    house.state.subtitles = new Map([
      ["t3", [{ id: "s1", filename: "a.haw.srt", language: "haw", kind: "subtitles", added_at: "2026-01-01T00:00:00Z" }]],
    ]);
    await dialog.getByRole("button", { name: "Try again" }).click();
    const language = dialog.getByLabel("Language of a.haw.srt");
    expect(await language.locator("option:checked").textContent()).toBe("Hawaiian");
    await page.context().close();
  });

  it("keeps its form shut while it cannot be read", async () => {
    house.state.failing.set("GET /admin/titles/t2", 404);
    const page = await house.open("/admin/titles?edit=t2");
    const dialog = page.getByRole("dialog", { name: "Edit title" });
    await dialog.getByRole("alert").waitFor();
    expect(await dialog.getByLabel("Description").count()).toBe(0);
    expect(await axe(page)).toEqual([]);
    house.state.failing.clear();
    await dialog.getByRole("button", { name: "Try again" }).click();
    await dialog.getByLabel("Description").waitFor();
    await page.context().close();
  });

  it("may be an episode of a series", async () => {
    const page = await house.open("/admin/titles");
    await page.getByRole("button", { name: "New title" }).click();
    const dialog = page.getByRole("dialog", { name: "New title" });
    await dialog.getByLabel("Kind").selectOption("episode");
    await dialog.getByLabel("Name", { exact: true }).fill("Night falls");
    await dialog.getByLabel("Find the series").fill("movie camera");
    await dialog.getByLabel("Series", { exact: true }).selectOption({ label: "Man with a Movie Camera (1929)" });
    await dialog.getByLabel("Episode").fill("5");
    expect(await axe(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByText("Night falls is in the catalogue.").waitFor();
    expect(bodies("POST", "/admin/titles")).toMatchObject([
      { kind: "episode", name: "Night falls", place: { series_id: "t16", season: 1, episode: 5 } },
    ]);
    await page.context().close();
  });
});

describe("a film that waits", () => {
  it("is put first by one press, and says so", async () => {
    const page = await house.open("/admin/jobs");
    await page.getByText("2 films are being prepared · 1 waiting · 31%").waitFor();
    expect(await page.getByRole("button", { name: /^Do first/ }).count()).toBe(1);
    await page.getByRole("button", { name: "Do first: The General" }).click();
    await page.getByText("The General is next.").waitFor();
    expect(bodies("POST", "/admin/jobs/j2/first")).toHaveLength(1);
    await page.context().close();
  });
});

describe("a model", () => {
  it("is judged from the log of what was shown", async () => {
    const page = await house.open("/admin/models");
    const open = page.getByRole("button", { name: "Estimate from the log" });
    await open.nth(1).click();
    await page.getByText("would have been played more").waitFor();
    const line = page.getByRole("img", { name: "Doubly robust" });
    expect(await line.getAttribute("aria-label")).toContain("+5.5");
    await page.getByText("Of a thousand such places 20 were played").waitFor();
    expect(await axe(page)).toEqual([]);
    await page.getByRole("button", { name: "Close the estimate" }).click();
    await line.waitFor({ state: "detached" });
    await open.first().click();
    await page.getByText("Too little has been shown").waitFor();
    await page.context().close();
  });
});

describe("a model that was refused", () => {
  it("says why and offers no way to use it", async () => {
    const page = await house.open("/admin/models");
    const refused = page.getByRole("article").filter({ has: page.getByText("Refused", { exact: true }) });
    await refused.waitFor();
    // In the service's own words, with both figures and how sure they are.
    const why =
      "worse than the model in service on what 412 viewers did since: ndcg@20 0.1320 against 0.1480, difference -0.0160 (-0.0231 to -0.0089)";
    expect(await refused.getByText(why, { exact: true }).isVisible()).toBe(true);
    expect(await refused.getByRole("button", { name: /^Use this model/ }).count()).toBe(0);
    const ready = page.getByRole("article").filter({ has: page.getByText("Ready", { exact: true }) });
    expect(await ready.getByRole("button", { name: /^Use this model/ }).count()).toBe(await ready.count());
    expect(await ready.count()).toBeGreaterThan(0);
    await page.context().close();
  });
});

describe("a model whose files are gone", () => {
  it("stays in the list with its figures, and offers nothing to do with it", async () => {
    const page = await house.open("/admin/models");
    const retired = page.getByRole("article").last();
    await retired.getByText("Its files are no longer kept").waitFor();
    expect(await retired.getByRole("button").count()).toBe(0);
    expect(await retired.getByText("0.1360").count()).toBe(1);
    await page.getByRole("button", { name: "Compare pages" }).click();
    const options = page.getByLabel("First model", { exact: true }).getByRole("option");
    expect(await options.count()).toBe(4);
    await page.context().close();
  });
});

describe("the figures of a model", () => {
  it("are better where less is better and they are less", async () => {
    const page = await house.open("/admin/models");
    const serving = page.getByRole("article").nth(1);
    const change = (name: string) => serving.locator(".measure", { hasText: name }).locator(".small");
    const told = async (name: string) => [await change(name).innerText(), await change(name).getAttribute("class")];
    expect(await told("recall@20")).toEqual(["+2.6%", "up small"]);
    expect(await told("coverage@20")).toEqual(["-3%", "down small"]);
    expect(await told("miscalibration@20")).toEqual(["-2.3%", "up small"]);
    expect(await told("gini@20")).toEqual(["+0.6%", "down small"]);
    await page.context().close();
  });
});

describe("the settings of a model", () => {
  it("are told, with those that the model before had otherwise", async () => {
    const page = await house.open("/admin/models");
    const newest = page.getByRole("article").first();
    await newest.getByText("Settings, 1 of them other than the model's before").click();
    await newest.getByText("ease.regularisation").waitFor();
    await newest.getByText("was 60").waitFor();
    const second = page.getByRole("article").nth(1);
    await second.getByText("Settings", { exact: true }).click();
    await second.getByText("trending_half_life").waitFor();
    expect(await second.getByText("was ").count()).toBe(0);
    expect(await axe(page)).toEqual([]);
    await page.context().close();
  });
});

describe("going back", () => {
  it("to an older model is one press, and the one that served could serve again", async () => {
    const page = await house.open("/admin/models");
    const model = (at: number) => page.getByRole("article").nth(at);
    const state = (at: number) => model(at).locator(".pill").innerText();
    await model(4).waitFor();
    const before = await Promise.all([0, 1, 2, 3, 4].map(state));
    expect(before.map((it) => it.toLowerCase())).toEqual(["refused", "serving", "ready", "ready", "retired"]);
    expect(await model(1).getByRole("button", { name: "Use this model" }).count()).toBe(0);
    await model(2).getByRole("button", { name: "Use this model" }).click();
    await page.getByText("This model serves now.").waitFor();
    await model(2).getByRole("button", { name: "Use this model" }).waitFor({ state: "detached" });
    const after = await Promise.all([0, 1, 2, 3, 4].map(state));
    expect(after.map((it) => it.toLowerCase())).toEqual(["refused", "ready", "serving", "ready", "retired"]);
    expect(bodies("POST", "/admin/models/m3/activate")).toHaveLength(1);
    expect(await axe(page)).toEqual([]);
    await page.context().close();
  });

  it("stays where it is when the model cannot be used, and says so", async () => {
    house.state.failing.set("POST /admin/models/m3/activate", 409);
    const page = await house.open("/admin/models");
    const model = (at: number) => page.getByRole("article").nth(at);
    await model(2).getByRole("button", { name: "Use this model" }).click();
    await page.getByText("That did not reach the server. Nothing was changed.").waitFor();
    expect((await model(1).locator(".pill").innerText()).toLowerCase()).toBe("serving");
    await expect.poll(() => model(2).getByRole("button", { name: "Use this model" }).isEnabled()).toBe(true);
    await page.context().close();
  });
});

describe("two models", () => {
  it("are compared by the pages that they would show", async () => {
    const page = await house.open("/admin/models");
    await page.getByRole("button", { name: "Compare pages" }).click();
    await page.getByText("of the recommended titles are on both pages").waitFor();
    const sides = ["Page of the first model", "Page of the second model"].map((name) =>
      page.getByRole("region", { name }),
    );
    for (const side of sides) await side.getByRole("heading", { name: "Top picks for Ada" }).waitFor();
    const names = await Promise.all(sides.map((side) => side.getByRole("listitem").allInnerTexts()));
    expect(names[0]).not.toEqual(names[1]);
    expect(await page.getByText("only on this page").count()).toBeGreaterThan(0);
    expect(await axe(page)).toEqual([]);
    await page.getByLabel("Viewer").selectOption({ label: "Somebody new" });
    await sides[0]?.getByRole("heading", { name: "Because you watched The General" }).waitFor({ state: "detached" });
    await page.getByLabel("Second model", { exact: true }).selectOption({ index: 1 });
    await page.getByText(/^100% of the recommended titles/).waitFor();
    expect(await page.getByText("only on this page").count()).toBe(0);
    await page.context().close();
  });
});
