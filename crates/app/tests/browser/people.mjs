// What every evening begins with, whoever comes: logging in, and saying what did not hold.

/** Logs in and waits for the first row of the home page, through the choice of a profile where there is one. */
export async function logIn(page, url, { email, password }) {
  await enter(page, url, { email, password });
  // The grey shapes that stand in while a page loads are neither buttons nor sections.
  const row = page.locator("section.row").first();
  const profile = page.locator("button.profile-card").first();
  await row.or(profile).first().waitFor();
  if (await profile.isVisible()) await profile.click();
  await row.waitFor();
}

/** Logs in and waits until the door is behind, whatever stands there. */
export async function enter(page, url, { email, password }) {
  await page.goto(`${url}/login`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL((address) => address.pathname !== "/login");
}

export function must(held, what, with_) {
  if (!held) throw new Error(`${what}: ${JSON.stringify(with_)}`);
}
