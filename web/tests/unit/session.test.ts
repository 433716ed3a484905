/** The way to the server: refresh once for all, sign out when it fails, forget a profile that is gone. */
import { describe, expect, it, vi } from "vitest";
import { changePassword, deleteProfile, home, logIn, me, title } from "@/api/endpoints";
import { onProfileLost, onSignedOut, Problem } from "@/api/http";
import { chosenProfile } from "@/api/profile-choice";
import { count, json, problem, serve } from "../support/server";

const ok = () => json({ page_id: "p", rows: [] });

describe("an access token that has run out", () => {
  it("is refreshed once for all requests that find out, and each is asked again", async () => {
    let refreshed = false;
    const late = () => (refreshed ? ok() : problem(401, "unauthenticated"));
    const asked = serve({
      "GET /api/v1/home": late,
      "GET /api/v1/me": late,
      "GET /api/v1/titles/a": late,
      "POST /api/v1/auth/refresh": async () => {
        await Promise.resolve();
        refreshed = true;
        return json({});
      },
    });
    await Promise.all([home(), me(), title("a")]);
    expect(count(asked, "POST", "/api/v1/auth/refresh")).toBe(1);
    expect(count(asked, "GET", "/api/v1/home")).toBe(2);
  });

  it("ends at log-in when the refresh is refused", async () => {
    serve({
      "GET /api/v1/home": () => problem(401, "unauthenticated"),
      "POST /api/v1/auth/refresh": () => problem(401, "refresh_invalid"),
    });
    const signedOut = vi.fn();
    const stop = onSignedOut(signedOut);
    await expect(home()).rejects.toMatchObject({ status: 401 });
    expect(signedOut).toHaveBeenCalledOnce();
    stop();
  });

  it.each([
    ["too many", () => problem(429, "too_many")],
    ["a server that fails", () => problem(503, "unavailable")],
    [
      "a lost line",
      () => {
        throw new TypeError("network");
      },
    ],
  ])("is not the end where the refresh meets %s: the house just does not answer", async (_what, refresh) => {
    serve({ "GET /api/v1/home": () => problem(401, "unauthenticated"), "POST /api/v1/auth/refresh": refresh });
    const signedOut = vi.fn();
    const stop = onSignedOut(signedOut);
    await expect(home()).rejects.toMatchObject({ status: 0, offline: true });
    expect(signedOut).not.toHaveBeenCalled();
    stop();
  });

  it("is refreshed again the next time", async () => {
    const asked = serve({
      "GET /api/v1/home": (_request, call) => (call % 2 === 1 ? problem(401, "unauthenticated") : ok()),
      "POST /api/v1/auth/refresh": () => json({}),
    });
    await home();
    await home();
    expect(count(asked, "POST", "/api/v1/auth/refresh")).toBe(2);
  });
});

describe("a request", () => {
  it("does not refresh for a wrong password", async () => {
    const asked = serve({ "POST /api/v1/auth/login": () => problem(401, "credentials_wrong") });
    await expect(logIn({ email: "a@b.c", password: "x" })).rejects.toBeInstanceOf(Problem);
    expect(asked).toHaveLength(1);
  });

  it("is not sent twice for a wrong current password", async () => {
    const asked = serve({
      "POST /api/v1/auth/password": () => problem(401, "credentials_wrong"),
      "POST /api/v1/auth/refresh": () => json({}),
    });
    const change = changePassword({ current_password: "x", new_password: "a long enough sentence" });
    await expect(change).rejects.toMatchObject({ code: "credentials_wrong" });
    expect(asked.map((one) => one.path)).toEqual(["/api/v1/auth/password"]);
  });

  it("names the chosen profile", async () => {
    chosenProfile.set("p7");
    const asked = serve({ "GET /api/v1/home": ok });
    await home();
    expect(asked[0]?.headers.get("x-profile")).toBe("p7");
  });

  it("forgets a profile that is gone and asks for the first one instead", async () => {
    chosenProfile.set("gone");
    const asked = serve({
      "GET /api/v1/home": (request) => (request.headers.has("x-profile") ? problem(404, "profile_not_found") : ok()),
      "GET /api/v1/me": () => json({ profiles: [{ id: "p1" }] }),
    });
    await home();
    expect(count(asked, "GET", "/api/v1/home")).toBe(2);
    expect(chosenProfile.get()).toBeUndefined();
  });

  it("is nobody's where several profiles are left: the page asks who is watching", async () => {
    chosenProfile.set("gone");
    const asked = serve({
      "GET /api/v1/home": () => problem(404, "profile_not_found"),
      "GET /api/v1/titles/a": () => problem(404, "profile_not_found"),
      "GET /api/v1/me": () => json({ profiles: [{ id: "p1" }, { id: "p2" }] }),
    });
    const lost = vi.fn();
    const stop = onProfileLost(lost);
    const both = await Promise.allSettled([home(), title("a")]);
    expect(both.map((one) => one.status)).toEqual(["rejected", "rejected"]);
    expect(lost).toHaveBeenCalled();
    expect(chosenProfile.get()).toBeUndefined();
    expect(asked.some((one) => one.path !== "/api/v1/me" && !one.headers.has("x-profile"))).toBe(false);
    stop();
  });

  it("keeps the profile when it is another one that is gone", async () => {
    chosenProfile.set("p1");
    serve({
      "DELETE /api/v1/profiles/p2": () => problem(404, "profile_not_found"),
      "GET /api/v1/me": () => json({ profiles: [{ id: "p1" }] }),
    });
    await expect(deleteProfile("p2")).rejects.toMatchObject({ code: "profile_not_found" });
    expect(chosenProfile.get()).toBe("p1");
  });

  it("says what was wrong in the server's words, with a reference", async () => {
    serve({ "GET /api/v1/home": () => problem(503, "unavailable", "the recommender does not answer") });
    await expect(home()).rejects.toMatchObject({
      status: 503,
      code: "unavailable",
      message: "the recommender does not answer",
      correlationId: "c-1",
    });
  });

  it("says that nobody answered", async () => {
    serve({
      "GET /api/v1/home": () => {
        throw new TypeError("network");
      },
    });
    await expect(home()).rejects.toMatchObject({ status: 0, offline: true });
  });
});
