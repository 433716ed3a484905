/** What people do with their account, in a real browser: profiles, password, leaving. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { axe, type Stage, stage } from "../support/browser";

let house: Stage;
beforeAll(async () => {
  house = await stage();
});
afterAll(() => house.stop());
beforeEach(() => house.reset());

const profileOf = (id: string) => house.state.profiles.find((profile: { id: string }) => profile.id === id);

describe("a profile", () => {
  it("is changed and becomes a child's", async () => {
    const page = await house.open("/profiles");
    await page.getByRole("button", { name: "Manage profiles" }).click();
    await page.getByRole("button", { name: "Edit Emil" }).click();
    const dialog = page.getByRole("dialog", { name: "Edit profile" });
    await dialog.getByLabel("Name").fill("Emilia");
    await dialog.getByRole("switch", { name: "Kids profile" }).click();
    expect(await axe(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name: "Edit Emilia" }).waitFor();
    expect(profileOf("p2")).toMatchObject({ name: "Emilia", kids: true, maturity_max: 12 });
    await page.context().close();
  });

  it("is deleted after a question", async () => {
    const page = await house.open("/profiles");
    await page.getByRole("button", { name: "Manage profiles" }).click();
    await page.getByRole("button", { name: "Edit Emil" }).click();
    await page.getByRole("button", { name: "Delete profile" }).click();
    const question = page.getByRole("dialog", { name: "Delete profile" });
    await question.getByText("Delete Emil, with its history, ratings and list?").waitFor();
    expect(await axe(page)).toEqual([]);
    await question.getByRole("button", { name: "Delete profile" }).click();
    await page.getByRole("button", { name: "Edit Emil" }).waitFor({ state: "detached" });
    expect(profileOf("p2")).toBeUndefined();
    await page.context().close();
  });

  it("is made, and chooses what it loves first", async () => {
    const page = await house.open("/profiles");
    await page.getByRole("button", { name: "Add profile" }).click();
    await page.getByRole("dialog", { name: "New profile" }).getByLabel("Name").fill("Gus");
    await page.getByRole("button", { name: "Create profile" }).click();
    await page.getByRole("heading", { name: "Make this page yours" }).waitFor();
    expect(await page.evaluate(() => localStorage.getItem("kinora.profile"))).toBe("p4");
    await page.context().close();
  });
});

describe("the password", () => {
  it("is changed by who knows the old one", async () => {
    const page = await house.open("/profile/security");
    const change = async (current: string) => {
      await page.getByLabel("Current password").fill(current);
      await page.getByLabel("New password").fill("an even longer sentence");
      await page.getByRole("button", { name: "Change password" }).click();
    };
    await change("wrong");
    await page.getByText("The current password is not right.").waitFor();
    expect(await axe(page)).toEqual([]);
    await change("a long enough sentence");
    await page.getByText("Your password is changed. Other devices are logged out.").waitFor();
    expect(await page.getByLabel("Current password").inputValue()).toBe("");
    await page.context().close();
  });
});

describe("leaving", () => {
  const logOut = async (page: Awaited<ReturnType<Stage["open"]>>) => {
    await page.getByRole("button", { name: "Ada: profile and account" }).click();
    await page.getByRole("button", { name: "Log out" }).click();
  };

  it("ends at the door, and stays there", async () => {
    const page = await house.open("/");
    await logOut(page);
    await page.waitForURL(`${house.url}/login`);
    expect(house.state.signedIn).toBe(false);
    await page.goto(`${house.url}/my-list`);
    await page.waitForURL(/\/login\?next=/);
    await page.context().close();
  });

  it("is said to have failed where it has, and can be tried again", async () => {
    house.state.failing.set("POST /auth/logout", 503);
    const page = await house.open("/");
    await logOut(page);
    await page.getByText("You are still logged in: the house did not answer.").waitFor();
    expect(page.url()).toBe(`${house.url}/`);
    expect(await axe(page)).toEqual([]);
    house.state.failing.clear();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.waitForURL(`${house.url}/login`);
    await page.context().close();
  });

  it("everywhere asks first", async () => {
    const page = await house.open("/profile/security");
    await page.getByRole("button", { name: "Log out everywhere" }).click();
    const question = page.getByRole("dialog", { name: "Log out everywhere" });
    expect(await axe(page)).toEqual([]);
    await question.getByRole("button", { name: "Log out everywhere" }).click();
    await page.waitForURL(`${house.url}/login`);
    await page.context().close();
  });
});
