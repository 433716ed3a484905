/** Uploads: what a file is known by, how fast it goes, what it is called after. The sending itself is tus-js-client's, and is tried in a real browser and against a real server. */
import { describe, expect, it } from "vitest";
import { speed } from "@/api/transfers";
import { fingerprint, uploadId } from "@/api/tus";
import { isVideoFile, nameOf } from "@/lib/video-names";

const film = (content: number[] | Uint8Array<ArrayBuffer>, name = "kid.mp4", lastModified = 1) =>
  new File([new Uint8Array(content)], name, { type: "video/mp4", lastModified });

describe("a file's fingerprint", () => {
  it("is the same for the same file and another for any other", async () => {
    const long = new Uint8Array(300_000);
    const changed = (at: number) => {
      const other = long.slice();
      other[at] = 1;
      return film(other);
    };
    const known = await fingerprint(film(long));
    expect(await fingerprint(film(long.slice()))).toBe(known);
    const others = [
      changed(0),
      changed(299_999),
      film(long, "kid2.mp4"),
      film(long, "kid.mp4", 2),
      film(long.slice(1)),
    ];
    const prints = await Promise.all(others.map(fingerprint));
    expect(new Set([known, ...prints]).size).toBe(6);
    expect(known).toMatch(/^[0-9a-z]{17,30}$/);
  });
});

it("an upload is named by the end of its address", () => {
  expect(uploadId("/api/v1/admin/uploads/u1")).toBe("u1");
  expect(uploadId("")).toBe("");
});

describe("speed", () => {
  it("is what the samples say, and nothing before there is something to compare", () => {
    expect(speed([], 100)).toEqual({});
    expect(speed([{ at: 0, sent: 5 }], 100)).toEqual({});
    expect(
      speed(
        [
          { at: 0, sent: 5 },
          { at: 100, sent: 50 },
        ],
        100,
      ),
    ).toEqual({});
    expect(
      speed(
        [
          { at: 0, sent: 5 },
          { at: 1000, sent: 5 },
        ],
        100,
      ),
    ).toEqual({});
    const samples = [
      { at: 1000, sent: 0 },
      { at: 2000, sent: 10 },
      { at: 3000, sent: 40 },
    ];
    expect(speed(samples, 100)).toEqual({ bytesPerSecond: 20, secondsLeft: 3 });
  });
});

describe("a video's name", () => {
  it.each([
    ["Solaris.1972.1080p.BluRay.mkv", { name: "Solaris", year: 1972 }],
    ["Solaris (1972).mkv", { name: "Solaris", year: 1972 }],
    ["2001 A Space Odyssey (1968).mp4", { name: "2001 A Space Odyssey", year: 1968 }],
    ["holiday_at_sea.mov", { name: "holiday at sea" }],
    ["1984.mkv", { name: "1984" }],
    [".mkv", { name: "mkv" }],
  ])("of %s", (file, name) => {
    expect(nameOf(file)).toEqual(name);
  });

  it("says whether it is one", () => {
    expect(isVideoFile(film([1]))).toBe(true);
    expect(isVideoFile(new File(["x"], "FILM.MKV"))).toBe(true);
    expect(isVideoFile(new File(["x"], "notes.txt", { type: "text/plain" }))).toBe(false);
  });
});
