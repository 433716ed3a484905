/** What the fixture server answers under /api/v1: plain data in the shapes of the API, with a little memory for writes. */
import { cardById, cards } from "./catalogue.mjs";

const because = (...titles) => ({
  because: titles.map(([id]) => id),
  because_titles: titles.map(([id, name]) => ({ id, name })),
});
export const histogram = [412, 201, 388, 120, 160, 70, 61, 12, 23, 4].map((count, at) => ({
  stars: 5 - at / 2,
  count,
}));
export const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const withProgress = (card, fraction) => ({
  ...card,
  progress: { position_s: Math.round(5400 * fraction), duration_s: 5400, fraction, finished: fraction >= 0.95 },
});
const item = (card, text) => ({ title: card, reason: text ? { text, ...because(["t4", "The General"]) } : null });

export function freshState() {
  return {
    signedIn: true,
    role: "admin",
    profiles: [
      {
        id: "p1",
        name: "Ada",
        avatar: "lamp",
        kids: false,
        maturity_max: 18,
        preferences: { genres: ["Comedy"], languages: ["en"], content_types: ["film"] },
        onboarded: true,
      },
      {
        id: "p2",
        name: "Emil",
        avatar: "moon",
        kids: false,
        maturity_max: 18,
        preferences: { genres: [], languages: [], content_types: [] },
        onboarded: false,
      },
      {
        id: "p3",
        name: "Kids",
        avatar: "wave",
        kids: true,
        maturity_max: 7,
        preferences: { genres: [], languages: [], content_types: [] },
        onboarded: false,
      },
    ],
    ratings: new Map(),
    list: new Set(["t1", "t12", "t23"]),
    positions: [],
    /** What players said of how it went. */
    quality: [],
    /** What became of models by id, where somebody chose. */
    models: {},
    presses: 0,
    /** Where what was signed is good no more. */
    ended: [],
    /** Where other screens have taken the places. */
    crowded: [],
    uploads: new Map(),
    uploadBreaks: 0,
    /** What is answered instead of where an upload stands, one after the other. */
    uploadHeads: [],
    /** Pieces are answered once this is settled. */
    uploadGate: undefined,
    uploadBytesLeft: 2 ** 40,
    titlesMade: 0,
    /** How the next titles that are made fail, 0 for one that does not. */
    titleFailures: [],
    /** New titles are answered once this is settled. */
    titleGate: undefined,
    edits: new Map(),
    marks: new Map(),
    searchMax: 48,
    failing: new Map(),
    calls: [],
  };
}

export const decorate = (state) => (card) => ({
  ...card,
  my_rating: state.ratings.get(card.id) ?? null,
  in_my_list: state.list.has(card.id),
});

function homeRows(state) {
  return [
    {
      id: "continue",
      kind: "continue_watching",
      title: "Continue watching",
      items: [
        withProgress(cards[2], 0.42),
        withProgress(cards[9], 0.83),
        withProgress(cards[24], 0.1),
        withProgress(cards[40], 0.6),
        withProgress(cards[44], 0.27),
      ].map((card) => item(card)),
    },
    {
      id: "picks",
      kind: "top_picks",
      title: "Top picks for Ada",
      items: cards.slice(4, 24).map((card) => item(card, "Because you gave The General five stars")),
    },
    {
      id: "trending",
      kind: "trending",
      title: "Trending now",
      items: cards.slice(12, 22).map((card) => item(card, "Watched by many here this week")),
    },
    {
      id: "because",
      kind: "because_you_watched",
      title: "Because you watched The General",
      reason: {
        text: "You gave The General five stars and finished Safety Last!",
        ...because(["t4", "The General"], ["t10", "Safety Last!"]),
      },
      items: cards.filter((card) => card.genres.includes("Comedy")).map((card) => item(card)),
    },
    {
      id: "horror",
      kind: "genre",
      title: "Horror",
      items: cards.filter((card) => card.genres.includes("Horror")).map((card) => item(card)),
    },
    {
      id: "noir",
      kind: "genre",
      title: "Film noir",
      items: cards.filter((card) => card.genres.includes("Film-Noir")).map((card) => item(card)),
    },
    { id: "new", kind: "new", title: "New in the house", items: cards.slice(30, 50).map((card) => item(card)) },
    {
      id: "list",
      kind: "my_list",
      title: "My List",
      items: cards.filter((card) => state.list.has(card.id)).map((card) => item(card)),
    },
  ];
}

export function homeAnswer(state) {
  const of = decorate(state);
  const disliked = (card) => state.ratings.get(card.id)?.like === false;
  const rows = homeRows(state);
  return {
    page_id: "h1",
    ratings_wanted: Math.max(0, 3 - state.ratings.size),
    hero: {
      title: of(cards[2]),
      description:
        "In a city of towers and machines, the son of its master falls in love with a woman from below, and learns who keeps the lights burning.",
      reason: {
        text: "Because you gave Frankenstein four stars and love science fiction",
        ...because(["t34", "Frankenstein"]),
      },
    },
    rows: rows
      .map((row) => ({
        ...row,
        items: row.items.filter(({ title }) => !disliked(title)).map((entry) => ({ ...entry, title: of(entry.title) })),
      }))
      .filter((row) => row.items.length > 0),
  };
}

/** What a model would show: the older ones know the newest title of each row not yet; somebody new has no rows of their own. */
export function modelHomeAnswer(state, model, query) {
  const own = new Set(query.as_new === "true" ? ["continue_watching", "my_list", "because_you_watched"] : []);
  const home = homeAnswer(state);
  const rows = home.rows.filter((row) => !own.has(row.kind));
  return { ...home, rows: model === "m4" ? rows : rows.map((row) => ({ ...row, items: row.items.slice(1) })) };
}

/** An episode of the one series, from its id `e<season>-<number>`. */
export function episodeAnswer(state, id) {
  const series = titleAnswer(state, "t16");
  const [season, number] = id.slice(1).split("-").map(Number);
  const episode = series.seasons[season - 1]?.episodes[number - 1];
  if (!episode) return undefined;
  const place = { series_id: "t16", series_name: series.name, season, episode: number };
  return { ...series, ...episode.title, description: episode.description, seasons: [], place };
}

export function titleAnswer(state, id) {
  const card = cardById(id);
  if (!card) return undefined;
  const series = card.kind === "series";
  const names = ["The camera wakes", "A day in Odessa", "Machines at noon", "Evening trams"];
  const episode = (season) => (_, at) => ({
    number: at + 1,
    description: "What the lens sees between dawn and noon.",
    title: {
      ...card,
      id: `e${season}-${at + 1}`,
      kind: "episode",
      name: names[at],
      duration_s: 1500 + at * 120,
      playable: true,
      progress:
        season === 1 && at < 2
          ? { position_s: at === 0 ? 1500 : 700, duration_s: 1500, fraction: at === 0 ? 1 : 0.46, finished: at === 0 }
          : null,
    },
  });
  return {
    ...decorate(state)(card),
    progress: id === "t3" ? { position_s: 2268, duration_s: 5400, fraction: 0.42, finished: false } : null,
    description:
      "In a city of towers and machines, the son of its master falls in love with a woman from below, and learns who keeps the lights burning. Made in Babelsberg over seventeen months, with thirty-six thousand extras and a robot that everyone after it has copied.",
    duration_s: series ? null : 5400 + (Number(id.slice(1)) % 30) * 60,
    people: [
      { id: "a1", name: "Fritz Lang", role: "director" },
      { id: "a2", name: "Thea von Harbou", role: "writer" },
      { id: "a3", name: "Brigitte Helm", role: "actor" },
      { id: "a4", name: "Alfred Abel", role: "actor" },
      { id: "a5", name: "Gustav Fröhlich", role: "actor" },
      { id: "a6", name: "Gottfried Huppertz", role: "actor" },
    ],
    seasons: series
      ? [1, 2].map((season) => ({ number: season, episodes: Array.from({ length: 4 }, episode(season)) }))
      : [],
    rating_histogram: histogram,
    likes: 31,
    dislikes: 2,
    published: true,
    in_my_list: state.list.has(id),
    why: {
      text: "Because you gave The General five stars, and people who love it also love this.",
      ...because(["t4", "The General"]),
    },
  };
}

/** A title as curators see it: the catalogue's, with what was changed since. */
export const adminTitle = (state, card) => ({ ...card, published: card.id !== "t4", ...state.edits.get(card.id) });

export function adminTitleAnswer(state, id) {
  const whole = titleAnswer(state, id);
  const card = cardById(id);
  return whole && { ...whole, ...adminTitle(state, card), ...(card.playable && { video: videoAnswer(state, id) }) };
}

const OWN_CHAPTERS = [
  { start_s: 0, name: "The letter" },
  { start_s: 1207.5, name: null },
];

/** What a title plays, with what was said of it since. */
export function videoAnswer(state, id) {
  const { chapters, ...marks } = state.marks.get(id) ?? {};
  return { duration_s: 5640, ...marks, chapters: chapters ?? OWN_CHAPTERS, chapters_edited: chapters != null };
}

function count(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

export const genresAnswer = () => ({
  items: count(cards.flatMap((card) => card.genres)).map(([name, n]) => ({ name, count: n })),
});

export function searchAnswer(state, { q = "", genre, kind }) {
  const match = cards.filter((card) => card.name.toLowerCase().includes(q.toLowerCase()));
  const ofGenre = (card) => !genre || card.genres.includes(genre);
  const ofKind = (card) => !kind || card.kind === kind;
  const shown = match.filter((card) => ofGenre(card) && ofKind(card));
  const facet = (values) => count(values).map(([value, n]) => ({ value, count: n }));
  return {
    items: shown.slice(0, state.searchMax).map(decorate(state)),
    facets: {
      genres: facet(match.filter(ofKind).flatMap((card) => card.genres)),
      kinds: facet(match.filter(ofGenre).map((card) => card.kind)),
      decades: [],
    },
  };
}

export function browseAnswer(state, query) {
  const all = cards.filter(
    (card) =>
      (!query.genre || card.genres.includes(query.genre)) &&
      (!query.kind || card.kind === query.kind) &&
      (!query.year_min || card.year >= Number(query.year_min)) &&
      (!query.year_max || card.year <= Number(query.year_max)),
  );
  const from = Number(query.cursor ?? 0);
  const items = all.slice(from, from + 24).map(decorate(state));
  return { items, next_cursor: from + 24 < all.length ? String(from + 24) : null };
}

export const historyAnswer = () => ({
  items: [2, 9, 24, 40, 44, 5].map((at, index) => ({
    title: cards[at],
    last_watched_at: ago(30 + index * 1900),
    progress: withProgress(cards[at], index === 5 ? 1 : 0.2 + index * 0.15).progress,
    my_rating: null,
  })),
  next_cursor: null,
});

export const ratingsAnswer = () => ({
  items: [3, 9, 33, 21].map((at, index) => ({
    title: cards[at],
    stars: 5 - index,
    like: index === 0 ? true : null,
    rated_at: ago(600 + index * 4000),
  })),
  next_cursor: null,
});

export const sessionsAnswer = () => ({
  items: [
    {
      id: "s1",
      user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
      address: "192.0.2.4",
      created_at: ago(3000),
      last_used_at: ago(1),
      current: true,
    },
    {
      id: "s2",
      user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605.1",
      address: "192.0.2.9",
      created_at: ago(9000),
      last_used_at: ago(400),
      current: false,
    },
  ],
});

export const jobsAnswer = () => ({
  items: [
    {
      id: "j1",
      kind: "transcode",
      state: "running",
      progress: 0.47,
      stage: "encoding 720p",
      subject: "Metropolis",
      title_id: "t3",
      attempts: 1,
      created_at: ago(4),
      started_at: ago(3),
    },
    {
      id: "j2",
      kind: "transcode",
      state: "queued",
      progress: 0,
      stage: "",
      subject: "The General",
      title_id: "t4",
      attempts: 0,
      created_at: ago(3),
    },
    {
      id: "j3",
      kind: "transcode",
      state: "failed",
      progress: 0.02,
      stage: "probing",
      subject: "Greed",
      title_id: "t29",
      attempts: 3,
      created_at: ago(50),
      error: "This is a playlist, not a video: its first bytes say #EXTM3U. Upload the film itself.",
    },
    {
      id: "j4",
      kind: "train",
      state: "done",
      progress: 1,
      stage: "",
      subject: "Recommender",
      attempts: 1,
      created_at: ago(80),
      started_at: ago(80),
      finished_at: ago(79.6),
      outcome:
        "published: as good as the model in service on what 380 viewers did since: ndcg@20 0.1480 against 0.1440, difference +0.0040 (-0.0021 to +0.0101)",
    },
    {
      id: "j5",
      kind: "import",
      state: "cancelled",
      progress: 0.3,
      stage: "",
      subject: "MovieLens",
      attempts: 1,
      created_at: ago(300),
      started_at: ago(300),
      finished_at: ago(299),
    },
  ],
  next_cursor: null,
});

/** The newest model has learned from all that was shown; the others would have been played more. */
export const estimateAnswer = (_state, id) => {
  const estimate = (method, lift) => ({
    method,
    value: 0.02 + lift,
    low: 0.011 + lift,
    high: 0.029 + lift,
    lift,
    lift_low: lift - 0.004,
    lift_high: lift + 0.004,
  });
  const [pages, viewers, places] = id === "m5" ? [0, 0, 0] : [3120, 412, 115_440];
  return {
    model: id,
    pages,
    viewers,
    places,
    served: places && 0.02,
    effective: places && 98_000,
    covered: places && 0.98,
    clipped: 0,
    estimates: places
      ? [estimate("inverse_propensity", 0.006), estimate("self_normalised", 0.0065), estimate("doubly_robust", 0.0055)]
      : [],
  };
};

const experiment = (id, name, state, method) => ({
  id,
  name,
  method,
  metric: "plays",
  guards: method === "ab" ? ["dislikes"] : [],
  arms: [
    { name: "As it is", model_id: "m4", weight: 1 },
    { name: "Shorter memory", model_id: "m3", weight: 1 },
  ],
  share_percent: 50,
  window_hours: 168,
  state,
  started_at: ago(id === "x2" ? 3000 : 30_000),
  ...(state === "stopped" ? { stopped_at: ago(15_000) } : {}),
});
export const experimentsAnswer = (state) => ({
  items: state.experiments ?? [
    experiment("x2", "Shorter memory for evenings", "running", "ab"),
    experiment("x1", "Shorter memory, first look", "stopped", "interleaving"),
  ],
});
export const experimentAnswer = (state, id) => {
  const known = experimentsAnswer(state).items.find((it) => it.id === id);
  if (!known) return undefined;
  if (known.method === "interleaving") {
    return {
      ...known,
      results: known.arms.map(({ name }) => ({ name, viewers: 640, means: [] })),
      waiting: 0,
      guard_differences: [],
      preference: { first: 121, second: 188, ties: 331, share: 0.608, low: 0.526, high: 0.686, p_value: 0.006 },
      verdict: "better",
      decision: "“Shorter memory” is better than “As it is”: 188 viewers had more plays from it, 121 fewer.",
    };
  }
  const means = (plays, dislikes) => [
    { metric: "plays", value: plays },
    { metric: "dislikes", value: dislikes },
  ];
  return {
    ...known,
    results: [
      { name: "As it is", viewers: 1204, means: means(0.812, 0.041) },
      { name: "Shorter memory", viewers: 1188, means: means(0.934, 0.044) },
    ],
    waiting: 312,
    difference: { metric: "plays", value: 0.122, low: 0.013, high: 0.231, p_value: 0.021, alpha: 0.05 },
    guard_differences: [{ metric: "dislikes", value: 0.003, low: -0.021, high: 0.027, p_value: 1, alpha: 0.05 }],
    verdict: "better",
    decision: "“Shorter memory” is better than “As it is”: +0.122 plays a viewer (from +0.013 to +0.231).",
  };
};

export const usersAnswer = () => ({
  items: [
    { id: "u1", email: "ada@example.org", name: "Ada", role: "admin", created_at: ago(50_000) },
    { id: "u2", email: "curt@example.org", name: "Curt", role: "curator", created_at: ago(40_000) },
    { id: "u3", email: "vera@example.org", name: "Vera", role: "viewer", created_at: ago(2000) },
  ],
  next_cursor: null,
});
