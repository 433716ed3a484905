/** What a showing counts of itself, and when it is said. */
import { describe, expect, it, vi } from "vitest";
import type { QualityReport } from "@/api/endpoints";
import { QualityMeter, QualityReporter } from "@/player/quality";

const quiet = { stalls_s: [], switches: 0, errors: [], watched_s: 0, ended: false };

describe("the meter", () => {
  it("counts the first picture once, and stalls only after it", () => {
    const meter = new QualityMeter(1000);
    meter.stalled(1100);
    meter.moves(1200);
    meter.firstPicture(1480);
    meter.firstPicture(9000);
    expect(meter.take(9000, false)).toEqual({ ...quiet, startup_s: 0.48 });
    meter.stalled(10_000);
    meter.stalled(10_500);
    meter.moves(12_250);
    meter.moves(13_000);
    expect(meter.take(13_000, false)).toEqual({ ...quiet, startup_s: undefined, stalls_s: [2.25] });
    expect(meter.total).toMatchObject({ startup_s: 0.48, stalls: 1, stalled_s: 2.25 });
  });

  it("counts a stall that still lasts when all is over", () => {
    const meter = new QualityMeter(0);
    meter.firstPicture(100);
    meter.stalled(1000);
    expect(meter.take(1500, false)?.stalls_s).toEqual([]);
    expect(meter.take(4000, true)).toMatchObject({ stalls_s: [3], ended: true });
  });

  it("counts time that was played, not time that was jumped over", () => {
    const meter = new QualityMeter(0);
    for (const at of [0, 0.25, 0.5, 90, 90.5, 30, 30.25, undefined, 31, 31.25]) meter.at(at);
    expect(meter.take(0, false)?.watched_s).toBe(1.5);
  });

  it("has nothing to say where nothing happened, but says when it is over", () => {
    const meter = new QualityMeter(0);
    expect(meter.take(60_000, false)).toBeUndefined();
    expect(meter.take(60_000, true)).toEqual({ ...quiet, startup_s: undefined, ended: true });
  });

  it("counts a refusal for the viewer, but does not tell the house of its own", () => {
    const meter = new QualityMeter(0);
    meter.failed("tooMany");
    expect(meter.total.errors).toBe(1);
    expect(meter.take(60_000, true)?.errors).toEqual([]);
  });

  it("tells the house of a film that is locked as of a picture that could not be shown", () => {
    const meter = new QualityMeter(0);
    meter.failed("locked");
    expect(meter.take(60_000, true)?.errors).toEqual([{ kind: "media", count: 1 }]);
  });

  it("stays within what one report may hold", () => {
    const meter = new QualityMeter(0);
    meter.firstPicture(9e9);
    for (let turn = 0; turn < 10_500; turn += 1) {
      meter.stalled(turn);
      meter.moves(turn + 0.5);
      meter.switched();
      meter.failed("network");
      meter.at(turn);
    }
    const report = meter.take(0, false);
    expect(report).toMatchObject({
      startup_s: 3600,
      switches: 10_000,
      errors: [{ kind: "network", count: 1000 }],
      watched_s: 3600,
    });
    expect(report?.stalls_s).toHaveLength(100);
    expect(meter.total).toMatchObject({ stalls: 10_500, switches: 10_500 });
  });
});

describe("the reporter", () => {
  const stage = () => {
    const said: [string, QualityReport][] = [];
    const send = vi.fn(async (session: string, report: QualityReport) => {
      said.push([session, report]);
    });
    const meter = new QualityMeter(0);
    let session = "s1";
    const reporter = new QualityReporter(
      meter,
      () => session,
      () => 0,
      send as never,
    );
    return { said, send, meter, reporter, move: (to: string) => (session = to) };
  };

  it("says what is new each time, under the session that plays, and once that it is the last", () => {
    const { said, meter, reporter, move } = stage();
    meter.switched();
    reporter.report();
    reporter.report();
    move("s2");
    meter.failed("expired");
    reporter.end();
    reporter.end();
    reporter.report();
    expect(said.map(([session, { switches, errors, ended }]) => [session, switches, errors, ended])).toEqual([
      ["s1", 1, [], false],
      ["s2", 0, [{ kind: "expired", count: 1 }], true],
    ]);
  });

  it("says again what did not arrive, together with what came since", async () => {
    const { said, send, meter, reporter } = stage();
    send.mockRejectedValueOnce(new Error("offline"));
    meter.firstPicture(500);
    meter.failed("network");
    meter.at(0);
    meter.at(1);
    reporter.report();
    await Promise.allSettled(send.mock.results.map(({ value }) => value));
    meter.failed("network");
    meter.at(2);
    reporter.report();
    expect(said).toEqual([["s1", { ...quiet, startup_s: 0.5, errors: [{ kind: "network", count: 2 }], watched_s: 2 }]]);
  });
});
