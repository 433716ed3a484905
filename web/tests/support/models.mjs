/** The recommender's models as the service tells of them, and what becomes of them when another is to serve. Test support only. */
import { ago } from "./answers.mjs";

const pairs = (figures) => Object.entries(figures).map(([name, value]) => ({ name, value }));
/** In the service's order: what a person looks at first, then the others by name. */
const modelMetrics = (at) => {
  const ndcg = 0.152 - at * 0.004 - (at === 0 ? 0.02 : 0);
  return pairs({
    "ndcg@20": ndcg,
    "ndcg@20 of popularity": 0.081 - at * 0.001,
    "recall@20": 0.241 - at * 0.006,
    "coverage@20": 0.31 + at * 0.01,
    "novelty@20": 3.9 + at * 0.05,
    "diversity@20": 0.71,
    "miscalibration@20": 0.83 + at * 0.02,
    "gini@20": 0.88 - at * 0.005,
    "hit_rate@10": 0.37 - at * 0.004,
    "hit_rate@50": 0.62 - at * 0.004,
    "ndcg@10": ndcg - 0.011,
    "ndcg@100": ndcg + 0.058,
    "recall@10": 0.158 - at * 0.004,
    "recall@50": 0.389 - at * 0.006,
    serve_us: 361 + at * 4,
  });
};
const MODELS = [
  {
    state: "refused",
    decision:
      "worse than the model in service on what 412 viewers did since: ndcg@20 0.1320 against 0.1480, difference -0.0160 (-0.0231 to -0.0089)",
  },
  {
    state: "active",
    decision:
      "as good as the model in service on what 380 viewers did since: ndcg@20 0.1480 against 0.1440, difference +0.0040 (-0.0021 to +0.0101)",
  },
  {
    state: "ready",
    decision:
      "too little has happened since the model in service was trained to compare them; ndcg@20 0.1440, it had 0.1400",
  },
  {
    state: "ready",
    decision:
      "better than the model in service on what 401 viewers did since: ndcg@20 0.1400 against 0.1360, difference +0.0040 (+0.0004 to +0.0076)",
  },
  {
    state: "ready",
    decision:
      "the first model: ndcg@20 0.1360 on the newest events of 396 viewers, where the list of popular titles reaches 0.0770",
  },
];

export const modelsAnswer = (state) => ({
  items: MODELS.map((model, at) => ({
    id: `m${5 - at}`,
    state: state.models[`m${5 - at}`] ?? model.state,
    created_at: ago(60 + at * 1440),
    interactions: 100_000,
    viewers: 943,
    titles: 1682,
    metrics: modelMetrics(at),
    // The first one had nothing to be set beside.
    baseline: at === MODELS.length - 1 ? [] : modelMetrics(at + 1),
    decision: model.decision,
    settings: pairs({ "ease.regularisation": at === 0 ? 72.5 : 60, "ials.size": 32, trending_half_life: 604_800_000 }),
    train_s: 4.2,
    // Of the oldest one the figures alone are left.
    stored: at < MODELS.length - 1,
  })),
  next_cursor: null,
});

/** From now on it serves, and the one that did could; `undefined` where there is no such model. */
export const activateAnswer = (state, id) => {
  const known = modelsAnswer(state).items;
  if (!known.some((model) => model.id === id)) return undefined;
  for (const model of known) if (model.state === "active") state.models[model.id] = "ready";
  state.models[id] = "active";
  return modelsAnswer(state).items.find((model) => model.id === id);
};
