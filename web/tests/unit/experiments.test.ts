/** How an interval is drawn, and what the form of an experiment says. */
import { expect, it } from "vitest";
import { draftOf } from "@/pages/admin/experiment-dialog";
import { scaleOf } from "@/pages/admin/experiment-figures";
import { experimentsEn as words } from "@/strings/experiments-en";

it("an interval stands where it is, no difference in the middle", () => {
  const above = scaleOf(0.1, 0.2, 0.3, 0);
  expect(above.low).toBeGreaterThan(0.5);
  expect(above.high).toBeCloseTo(0.5 + 0.5 / 1.1);
  const across = scaleOf(-0.2, 0, 0.2, 0);
  expect(across.value).toBeCloseTo(0.5);
  expect(across.low + across.high).toBeCloseTo(1);
  expect(scaleOf(0.2, 0.3, 0.4, 0.5).high).toBeLessThan(0.5);
  expect(scaleOf(0, 0, 0, 0).value).toBeCloseTo(0.5);
});

it("an interleaving has no guards, and the metric is none of its own", () => {
  const form = new FormData();
  for (const [name, value] of Object.entries({
    name: " A ",
    first_name: "a",
    second_name: "b",
    share: "50",
    days: "2",
  })) {
    form.set(name, value);
  }
  const chosen = { method: "ab", metric: "plays", guards: ["plays", "dislikes"], first: "m1", second: "m2" } as const;
  const draft = draftOf(form, { ...chosen, guards: [...chosen.guards] });
  expect(draft).toMatchObject({ name: "A", guards: ["dislikes"], share_percent: 50, window_hours: 48 });
  expect(draftOf(form, { ...chosen, method: "interleaving", guards: [...chosen.guards] }).guards).toEqual([]);
});

it("what an experiment is about is said in days where they are whole, and one is one", () => {
  expect(words.about("A/B test", 50, 168)).toBe("A/B test on 50 % of viewers, each observed for 7 days.");
  expect(words.about("A/B test", 50, 24)).toContain("for 1 day.");
  expect(words.about("A/B test", 50, 36)).toContain("for 36 hours.");
  expect(words.about("A/B test", 50, 1)).toContain("for 1 hour.");
});

it("what decides is said with what must not get worse, if anything", () => {
  expect(words.goal("plays", [])).toBe("Decided by plays per viewer.");
  const guarded = words.goal("plays", ["dislikes", "good ratings"]);
  expect(guarded).toBe("Decided by plays per viewer; must not get worse: dislikes, good ratings.");
});
