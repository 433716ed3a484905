/** The words of experiments, in English; loaded with their page only. */

const metricNames = {
  plays: "Titles played",
  finishes: "Titles watched to the end",
  good_ratings: "Good ratings",
  dislikes: "Dislikes",
};
const metrics = { plays: "plays", finishes: "finished titles", good_ratings: "good ratings", dislikes: "dislikes" };

export const experimentsEn = {
  title: "Experiments",
  lead: "Two models on real viewers. Read the results as often as you like: the intervals allow for it.",
  create: "New experiment",
  oneAtATime: "Only one experiment runs at a time. To start another, stop it first.",
  empty: "No experiment yet",
  emptyLead:
    "Held-out ratings say which model ought to be better. An experiment says which one is: part of the viewers get the other model, and what they play decides.",
  states: { running: "Running", stopped: "Stopped" },
  methods: { ab: "A/B", interleaving: "Interleaving" },
  methodHints: {
    ab: "Each viewer has the pages of one model. Says by how much one is better, and watches the guards.",
    interleaving:
      "Top Picks is mixed of both models for everybody. Says which one is preferred, with far fewer viewers.",
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
  about: (method: string, share: number, days: number) =>
    `${method} on ${share} % of viewers, each observed for ${days < 1 ? `${Math.round(days * 24)} hours` : `${Math.round(days * 10) / 10} ${days === 1 ? "day" : "days"}`}.`,
  since: (started: string, stopped: string | undefined) =>
    stopped ? `From ${started} to ${stopped}.` : `Since ${started}.`,
  notServed: "Viewers do not get this experiment at present.",
  results: "Show results",
  resultsOf: (name: string) => `Show results: ${name}`,
  hideResults: "Hide results",
  hideResultsOf: (name: string) => `Hide results: ${name}`,
  stop: "Stop",
  stopOf: (name: string) => `Stop: ${name}`,
  stopSure: (name: string) =>
    `Stop “${name}”? Everybody gets the model in service again. Viewers who are still being observed are not counted.`,
  stopped: (name: string) => `${name} is stopped.`,
  start: "Start",
  started: (name: string) => `${name} runs.`,
  needTwo: "An experiment compares two models, and there are not two yet. Train another one under Models.",
  fields: {
    name: "Name",
    method: "Method",
    metric: "What decides",
    guards: "What must not get worse",
    share: "Share of viewers (%)",
    days: "Days each viewer is observed",
    daysHint: "A viewer counts when these are over.",
    arms: {
      first: { model: "First model", name: "Name of the first", nameDefault: "As it is" },
      second: { model: "Second model", name: "Name of the second", nameDefault: "The other" },
    },
  },
  difference: (metric: string) => `Difference in ${metric} a viewer:`,
  guardDifference: (metric: string) => `Guard, difference in ${metric} a viewer:`,
  preference: (name: string) => `Viewers who prefer “${name}”, of those with a preference:`,
  fromTo: (low: string, high: string) => `from ${low} to ${high}`,
  interval: (label: string, value: string, low: string, high: string) => `${label} ${value}, from ${low} to ${high}`,
  certainty: (certainty: string, p: number) =>
    `Holds the truth with a probability of ${certainty}, at every reading at once; p ${p < 0.001 ? "< 0.001" : `= ${p.toFixed(3)}`}.`,
  arm: (name: string, viewers: string) => `“${name}”, ${viewers} viewers`,
  prefer: (name: string) => `Viewers who prefer “${name}”`,
  ties: "Viewers without a preference",
  waiting: "Viewers still being observed",
};
