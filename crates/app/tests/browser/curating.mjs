// A curator's morning: a library comes in through the page, a broken file is refused by its line, a title is put right, a viewer is promoted.
// Input: { admin: {email, password}, person: "name", folder: "…", broken: "…" }; both folders hold movies.csv and ratings.csv.
import { enter, must } from "./people.mjs";

const TITLE = { before: "The Quiet Harbour", after: "The Quietest Harbour", description: "Nobody has spoken here for years." };

export default async function curating({ page, url, input, axe, settled, shot }) {
  const seen = { findings: {} };
  const judge = async (name) => {
    seen.findings[name] = await axe();
    await shot(`curating-${name}`);
  };
  await enter(page, url, input.admin);

  await page.goto(`${url}/admin/import`);
  await page.getByRole("button", { name: "Import", exact: true }).click();
  await page.getByText("Choose the files.", { exact: true }).waitFor();
  seen.refused = await importFiles(page, input.broken, "Failed");
  await judge("refused");
  await page.getByRole("button", { name: "Import another" }).click();
  seen.imported = await importFiles(page, input.folder, "Done");
  await judge("imported");

  seen.title = await editTitle(page, url, judge);
  await promote(page, url, input.person, settled);
  await judge("users");
  return seen;
}

/** Sends the two files of a folder and waits until the job has ended so; what it says. */
async function importFiles(page, folder, state) {
  const picker = page.locator("input[type=file]");
  await picker.setInputFiles(["movies.csv", "ratings.csv"].map((name) => `${folder}/${name}`));
  await page.getByText("movies.csv (").waitFor();
  await page.getByRole("button", { name: "Import", exact: true }).click();
  const job = page.locator("article.job");
  await job.getByText(state, { exact: true }).waitFor();
  return (await job.locator(".job__error, .job__note").textContent()).trim();
}

/** Changes name and description of a title in its dialog; the table and the title's own page must say so. */
async function editTitle(page, url, judge) {
  await page.goto(`${url}/admin/titles`);
  await page.getByLabel("Filter titles").fill("harbour");
  await page.getByRole("button", { name: `Edit ${TITLE.before}` }).click();
  const dialog = page.getByRole("dialog", { name: "Edit title" });
  await dialog.getByLabel("Name", { exact: true }).fill("");
  await dialog.getByRole("button", { name: "Save" }).click();
  must(await dialog.isVisible(), "a title without a name was taken", {});
  await dialog.getByLabel("Name", { exact: true }).fill(TITLE.after);
  await dialog.getByLabel("Description").fill(TITLE.description);
  await judge("title-dialog");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.waitFor({ state: "detached" });
  const link = page.getByRole("link", { name: TITLE.after, exact: true });
  await link.click();
  await page.getByRole("heading", { level: 1, name: TITLE.after }).waitFor();
  await page.getByText(TITLE.description).waitFor();
  return page.url().split("/").at(-1);
}

/** Makes a viewer a curator; a fresh page must still say so. */
async function promote(page, url, name, settled) {
  const role = page.getByLabel(`Role of ${name}`);
  await page.goto(`${url}/admin/users`);
  await page.getByLabel("Find people").fill(name);
  const answered = page.waitForResponse((answer) => answer.request().method() === "PATCH" && answer.url().includes("/users/"));
  await role.selectOption("curator");
  must((await answered).ok(), "the role was refused", {});
  await page.getByText(`${name} is Curator now.`).waitFor();
  await page.reload();
  await role.waitFor();
  await settled();
  must((await role.inputValue()) === "curator", "the role did not stay", await role.inputValue());
}
