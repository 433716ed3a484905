/** The words of experiments, in English; loaded with their page only. */

const metricNames = {
  plays: "Titles played",
  finishes: "Titles watched to the end",
  good_ratings: "Good ratings (likes, four stars or more)",
  dislikes: "Dislikes (also two stars or less): fewer are better",
};
const metrics = { plays: "plays", finishes: "finished titles", good_ratings: "good ratings", dislikes: "dislikes" };

const counted = (count: number, unit: string) => `${count} ${unit}${count === 1 ? "" : "s"}`;

export const experimentsEn = {
  title: "Experiments",
  lead: "Try another model on some of your viewers before all of them get it. Read the results as often as you like: looking early does no harm.",
  create: "New experiment",
  oneAtATime: "Only one experiment runs at a time. To start another, stop it first.",
  empty: "No experiment yet",
  emptyLead:
    "Old ratings say which model ought to be better. An experiment says which one is: part of the viewers get the other model, and what they play decides.",
  states: { running: "Running", stopped: "Stopped" },
  methods: { ab: "A/B test", interleaving: "Mixed Top Picks (interleaving)" },
  methodHints: {
    ab: "Half of those who take part get the pages of one model, half those of the other. Says by how much one is better.",
    interleaving:
      "All who take part get Top Picks mixed of both models. Says which one they prefer, with far fewer viewers.",
  },
  metrics,
  metricNames,
  verdicts: {
    too_early: "Too early",
    undecided: "No difference yet",
    better: "Better",
    worse: "Worse",
    harmful: "Does harm",
  },
  about: (method: string, share: number, hours: number) =>
    `${method} on ${share} % of viewers, each observed for ${hours % 24 === 0 ? counted(hours / 24, "day") : counted(hours, "hour")}.`,
  goal: (metric: string, guards: string[]) =>
    `Decided by ${metric} per viewer${guards.length > 0 ? `; must not get worse: ${guards.join(", ")}` : ""}.`,
  since: (started: string, stopped: string | undefined) =>
    stopped ? `From ${started} to ${stopped}.` : `Since ${started}.`,
  notServed: "Viewers do not get this experiment at present:",
  results: "Show results",
  resultsOf: (name: string) => `Show results: ${name}`,
  hideResults: "Hide results",
  hideResultsOf: (name: string) => `Hide results: ${name}`,
  stop: "Stop",
  stopOf: (name: string) => `Stop: ${name}`,
  stopSure: (name: string) =>
    `Stop “${name}”? It cannot go on later. Everybody gets the model in service again, and viewers who are still being observed are not counted.`,
  stopped: (name: string) => `${name} is stopped.`,
  start: "Start",
  started: (name: string) => `${name} runs.`,
  needTwo: "An experiment compares two models, and there are not two yet. Train another one under Models.",
  fields: {
    name: "Name",
    method: "Method",
    metric: "What decides",
    metricHint: "Counted per viewer, of the titles that were recommended to them.",
    guards: "What must not get worse",
    share: "Share of viewers (%)",
    shareHint: "1 to 100. These take part; all others keep the model in service.",
    days: "Days each viewer is observed",
    daysHint: "1 to 30. A viewer counts when these days are over, so the first results come then.",
    arms: {
      first: {
        model: "First model, to compare with",
        name: "Name of the first in the results",
        nameDefault: "As it is",
      },
      second: {
        model: "Second model, to be tried",
        name: "Name of the second in the results",
        nameDefault: "The other",
      },
    },
  },
  difference: (metric: string, first: string, second: string) =>
    `Difference in ${metric} per viewer, “${second}” compared with “${first}”:`,
  guardDifference: (metric: string) => `Must not get worse, difference in ${metric} per viewer:`,
  preference: (name: string) => `Viewers who prefer “${name}”, of those with a preference:`,
  fromTo: (low: string, high: string) => `from ${low} to ${high}`,
  interval: (label: string, value: string, low: string, high: string) => `${label} ${value}, from ${low} to ${high}`,
  certainty: (certainty: string, p: number) =>
    `The true difference is between the ends of the bar with a certainty of ${certainty}, however often you look (p ${p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`}).`,
  differenceEnds: ["fewer", "no difference", "more"],
  preferenceEnds: ["fewer than half", "half", "more than half"],
  arm: (name: string, viewers: string) => `“${name}”, viewers counted: ${viewers}`,
  perViewer: (means: string) => `${means} per viewer`,
  prefer: (name: string) => `Viewers who prefer “${name}”`,
  ties: "Viewers without a preference",
  waiting: "Viewers still being observed",
};
