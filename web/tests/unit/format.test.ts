/** Times and sizes as people write them. */
import { expect, it } from "vitest";
import { deviceName } from "@/lib/device";
import { bytes, clockTime, duration, relative, secondsOf, timeLeft } from "@/lib/format";

it("writes clock times", () => {
  expect([0, 59.9, 61, 3600, 3723].map(clockTime)).toEqual(["0:00", "0:59", "1:01", "1:00:00", "1:02:03"]);
  expect(clockTime(Number.NaN)).toBe("0:00");
});

it("reads the clock times that it writes", () => {
  expect([0, 59, 61, 3600, 3723].map(clockTime).map(secondsOf)).toEqual([0, 59, 61, 3600, 3723]);
  expect([" 1:02.5 ", "100:00:00"].map(secondsOf)).toEqual([62.5, 360_000]);
  for (const other of ["", "90", "1:2", "1:60", "60:00", "1:60:00", "-1:00", "1:00:00:00", "one", "1:00 pm"])
    expect(secondsOf(other), other).toBeUndefined();
});

it("writes lengths, rounded up to minutes", () => {
  expect([40, 61, 3600, 6120].map(duration)).toEqual(["40s", "2m", "1h", "1h 42m"]);
  expect(timeLeft({ position_s: 1800, duration_s: 5400 })).toBe("1h");
});

it("writes when something was, and the date once that says more", () => {
  const now = Date.parse("2026-11-21T10:00:00Z");
  expect(relative("2026-11-21T09:59:50Z", now)).toBe("this minute");
  expect(relative("2026-11-21T08:00:00Z", now)).toBe("2 hours ago");
  expect(relative("2026-11-20T09:00:00Z", now)).toBe("yesterday");
  expect(relative("2026-10-01T09:00:00Z", now)).toBe("1 Oct 2026");
});

it("writes sizes", () => {
  expect([0, 999, 1500, 8_400_000, 2_500_000_000].map(bytes)).toEqual([
    "0 byte",
    "999 byte",
    "2 kB",
    "8.4 MB",
    "2.5 GB",
  ]);
});

it("names devices", () => {
  expect(deviceName("Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0")).toBe("Firefox on Windows");
  expect(deviceName("curl/8.5.0")).toBe("curl/8.5.0");
  expect(deviceName("")).toBeUndefined();
});
