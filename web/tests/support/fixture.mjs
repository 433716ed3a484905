/**
 * A small real HTTP server for judging pages without the product's server: it serves the built page, art, and the answers of
 * `answers.mjs`. Test support only. `node tests/support/fixture.mjs [port]` runs it by hand.
 */
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import * as answers from "./answers.mjs";
import { artwork, cardById, cards } from "./catalogue.mjs";
import * as models from "./models.mjs";
import { Refusal, Reply, uploadRoutes } from "./uploads.mjs";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".m3u8": "application/vnd.apple.mpegurl",
  ".m4s": "video/mp4",
  ".mp4": "video/mp4",
  ".ts": "video/mp2t",
  ".vtt": "text/vtt",
  ".jpg": "image/jpeg",
};

/** Method and path pattern to answer; `undefined` is 204. */
const routes = [
  [
    "POST",
    /^\/auth\/(login|register)$/,
    (state, _m, { body }) => {
      if (body.password === "wrong") throw new Refusal(401, "credentials_wrong", "Wrong e-mail or password");
      state.signedIn = true;
      return { account: { id: "u1", email: body.email, name: "Ada", role: state.role }, profile: state.profiles[0] };
    },
  ],
  [
    "POST",
    /^\/auth\/refresh$/,
    (state) => {
      if (!state.signedIn) throw new Refusal(401, "refresh_invalid", "Log in");
      return {};
    },
  ],
  ["POST", /^\/auth\/(logout|logout-all)$/, (state) => void Object.assign(state, { signedIn: false })],
  [
    "POST",
    /^\/auth\/password$/,
    (_state, _m, { body }) => {
      if (body.current_password === "wrong") throw new Refusal(401, "credentials_wrong", "Wrong password");
    },
  ],
  ["GET", /^\/auth\/sessions$/, answers.sessionsAnswer],
  [
    "GET",
    /^\/me$/,
    (state) => ({
      account: { id: "u1", email: "ada@example.org", name: "Ada", role: state.role },
      profiles: state.profiles,
      profile_id: state.profiles[0].id,
    }),
  ],
  [
    "POST",
    /^\/profiles$/,
    (state, _m, { body }) => {
      const profile = {
        id: `p${state.profiles.length + 1}`,
        preferences: { genres: [], languages: [], content_types: [] },
        onboarded: false,
        ...body,
      };
      state.profiles.push(profile);
      return profile;
    },
  ],
  [
    "PATCH",
    /^\/profiles\/(\w+)$/,
    (state, [, id], { body }) =>
      Object.assign(
        state.profiles.find((profile) => profile.id === id),
        body,
      ),
  ],
  [
    "DELETE",
    /^\/profiles\/(\w+)$/,
    (state, [, id]) => {
      state.profiles = state.profiles.filter((profile) => profile.id !== id);
    },
  ],
  ["GET", /^\/home$/, (state) => state.home ?? answers.homeAnswer(state)],
  [
    "GET",
    /^\/parties\/([\w-]+)$/,
    (_state, [, id]) => {
      if (!id.startsWith("open")) throw new Refusal(404, "party_not_found", "there is no such party, or it is over");
      const members = id === "open-full" ? 8 : 2;
      return { id, title_id: "t3", host_name: "Ben", members, members_max: 8, position_s: 60 };
    },
  ],
  ["GET", /^\/genres$/, answers.genresAnswer],
  ["GET", /^\/onboarding$/, () => ({ genres: answers.genresAnswer().items, titles: cards.slice(0, 36) })],
  ["POST", /^\/onboarding$/, () => undefined],
  ["GET", /^\/titles$/, (state, _m, { query }) => answers.browseAnswer(state, query)],
  [
    "GET",
    /^\/titles\/([\w-]+)$/,
    (state, [, id]) => (id.startsWith("e") ? answers.episodeAnswer : answers.titleAnswer)(state, id) ?? notFound(),
  ],
  [
    "GET",
    /^\/titles\/(\w+)\/similar$/,
    () => ({ items: cards.slice(20, 36).map((title) => ({ title, reason: null })) }),
  ],
  [
    "PUT",
    /^\/titles\/(\w+)\/rating$/,
    (state, [, id], { body }) => {
      state.ratings.set(id, body);
      const card = cardById(id);
      return {
        average_rating: card.average_rating,
        ratings_count: card.ratings_count + 1,
        rating_histogram: answers.histogram,
        likes: 1,
        dislikes: 0,
        my_rating: state.ratings.get(id),
      };
    },
  ],
  ["DELETE", /^\/titles\/(\w+)\/rating$/, (state, [, id]) => void state.ratings.delete(id)],
  ["PUT", /^\/titles\/(\w+)\/watched$/, () => undefined],
  ["GET", /^\/search$/, (state, _m, { query }) => answers.searchAnswer(state, query)],
  ["PUT", /^\/my-list\/(\w+)$/, (state, [, id]) => void state.list.add(id)],
  ["DELETE", /^\/my-list\/(\w+)$/, (state, [, id]) => void state.list.delete(id)],
  [
    "GET",
    /^\/my-list$/,
    (state) => ({
      items: cards
        .filter((card) => state.list.has(card.id))
        .map((card) => ({ title: answers.decorate(state)(card), added_at: "2026-11-20T10:00:00Z" })),
      next_cursor: null,
    }),
  ],
  ["GET", /^\/history$/, (state) => state.history ?? answers.historyAnswer()],
  ["DELETE", /^\/history\/(\w+)$/, () => undefined],
  ["GET", /^\/ratings$/, answers.ratingsAnswer],
  [
    "POST",
    /^\/playback$/,
    (state, _m, { body }) => {
      if (!state.stream) throw new Refusal(409, "not_playable", "No video", "This title has no video yet.");
      state.presses += 1;
      return {
        session_id: state.presses > 1 ? `s-${body.title_id}-${state.presses}` : `s-${body.title_id}`,
        title_id: body.title_id === "t16" ? "e1-2" : body.title_id,
        hls_url: state.stream,
        dash_url: null,
        resume_at_s: state.resumeAt ?? 0,
        duration_s: 180,
        subtitles: [],
        chapters: [],
        next_title_id: state.nextTitle ?? null,
        ...state.playback,
      };
    },
  ],
  [
    "POST",
    /^\/playback\/([\w-]+)\/progress$/,
    (state, [, session], { body }) => void state.positions.push({ session, ...body }),
  ],
  [
    "POST",
    /^\/playback\/([\w-]+)\/quality$/,
    (state, [, session], { body }) => void state.quality.push({ session, ...body }),
  ],
  ["GET", /^\/admin\/jobs$/, answers.jobsAnswer],
  ["GET", /^\/admin\/jobs\/outlook$/, () => ({ queued: 1, running: 1, progress: 0.31, remaining_s: 840 })],
  ["POST", /^\/admin\/jobs\/(\w+)\/first$/, (_state, [, id]) => answers.jobsAnswer().items.find((job) => job.id === id)],
  ["GET", /^\/admin\/models$/, models.modelsAnswer],
  ["GET", /^\/admin\/models\/(\w+)\/home$/, (state, [, id], { query }) => answers.modelHomeAnswer(state, id, query)],
  ["GET", /^\/admin\/models\/(\w+)\/estimate$/, (state, [, id]) => answers.estimateAnswer(state, id)],
  [
    "POST",
    /^\/admin\/models\/(\w+)\/activate$/,
    (state, [, id]) => {
      const model = models.activateAnswer(state, id);
      if (!model) throw new Refusal(404, "model_not_found", "There is no such model");
      return model;
    },
  ],
  ["POST", /^\/admin\/models\/train$/, () => answers.jobsAnswer().items[0]],
  ["GET", /^\/admin\/experiments$/, answers.experimentsAnswer],
  [
    "POST",
    /^\/admin\/experiments$/,
    (state, _m, { body }) => {
      const made = { ...body, id: "x3", state: "running", started_at: new Date().toISOString() };
      state.experiments = [made, ...answers.experimentsAnswer(state).items];
      return made;
    },
  ],
  ["GET", /^\/admin\/experiments\/(\w+)$/, (state, [, id]) => answers.experimentAnswer(state, id) ?? notFound()],
  [
    "POST",
    /^\/admin\/experiments\/(\w+)\/stop$/,
    (state, [, id]) => {
      const stopped = { ...answers.experimentsAnswer(state).items.find((it) => it.id === id), state: "stopped" };
      state.experiments = answers.experimentsAnswer(state).items.map((it) => (it.id === id ? stopped : it));
      return stopped;
    },
  ],
  ["GET", /^\/admin\/users$/, answers.usersAnswer],
  [
    "GET",
    /^\/admin\/titles$/,
    (state, _m, { query }) => ({
      items: cards
        .filter((card) => card.name.toLowerCase().includes((query.q ?? "").toLowerCase()))
        .slice(0, 30)
        .map((card) => answers.adminTitle(state, card)),
      next_cursor: null,
    }),
  ],
  ["GET", /^\/admin\/titles\/(\w+)$/, (state, [, id]) => answers.adminTitleAnswer(state, id) ?? notFound()],
  [
    "PATCH",
    /^\/admin\/titles\/(\w+)$/,
    (state, [, id], { body }) => {
      state.edits.set(id, { ...state.edits.get(id), ...body });
      return answers.adminTitleAnswer(state, id);
    },
  ],
  [
    "PATCH",
    /^\/admin\/titles\/(\w+)\/video$/,
    (state, [, id], { body }) => {
      state.marks.set(id, { ...state.marks.get(id), ...body });
      return answers.videoAnswer(state, id);
    },
  ],
  [
    "POST",
    /^\/admin\/titles$/,
    async (state, _m, { body }) => {
      const failure = state.titleFailures.shift();
      await state.titleGate;
      if (failure) throw new Refusal(failure, "unavailable", "Unavailable", "The catalogue does not answer.");
      state.titlesMade += 1;
      return { ...cards[0], ...body, id: `t${98 + state.titlesMade}` };
    },
  ],
  ["PUT", /^\/admin\/titles\/(\w+)\/artwork\/\w+$/, (state, [, id]) => answers.adminTitle(state, cardById(id))],
  ["GET", /^\/admin\/titles\/(\w+)\/subtitles$/, (state, [, id]) => ({ items: state.subtitles?.get(id) ?? [] })],
  [
    "POST",
    /^\/admin\/titles\/(\w+)\/subtitles$/,
    (state, [, id], { query }) => {
      if (query.filename.startsWith("broken")) {
        throw new Refusal(400, "subtitles_invalid", "Bad Request", `${query.filename}: it is no text.`);
      }
      state.subtitles ??= new Map();
      const { filename } = query;
      const files = state.subtitles.get(id) ?? [];
      const words = filename.split(".");
      const file = {
        id: `s${state.calls.length}`,
        filename,
        language: words.find((word) => ["de", "fr"].includes(word)) ?? null,
        kind: words.includes("forced") ? "forced" : "subtitles",
        added_at: "2026-01-01T00:00:00Z",
      };
      state.subtitles.set(id, [...files.filter((one) => one.filename !== filename), file]);
      return file;
    },
  ],
  [
    "PUT",
    /^\/admin\/titles\/(\w+)\/subtitles\/(\w+)$/,
    (state, [, id, file], { body }) => {
      const found = state.subtitles?.get(id)?.find((one) => one.id === file);
      return found ? Object.assign(found, body) : notFound();
    },
  ],
  [
    "DELETE",
    /^\/admin\/titles\/(\w+)\/subtitles\/(\w+)$/,
    (state, [, id, file]) => {
      const files = state.subtitles?.get(id) ?? [];
      state.subtitles?.set(
        id,
        files.filter((one) => one.id !== file),
      );
    },
  ],
  ...uploadRoutes,
  ["POST", /^\/admin\/imports$/, () => ({ ...answers.jobsAnswer().items[0], kind: "import", subject: "MovieLens" })],
];

function notFound() {
  throw new Refusal(404, "not_found", "Not found");
}

/** Starts on a free port (or the given one) and answers the address, the state behind it, and how to stop. */
export async function startFixture({ port = 0, media } = {}) {
  const state = answers.freshState();
  const server = createServer((request, response) => void handle(state, media, request, response));
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    state,
    reset: () =>
      Object.assign(state, answers.freshState(), {
        home: undefined,
        experiments: undefined,
        history: undefined,
        resumeAt: undefined,
        nextTitle: undefined,
        playback: undefined,
        subtitles: undefined,
      }),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  };
}

async function handle(state, media, request, response) {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname === "/api/v1/events") return events(response);
  if (url.pathname.startsWith("/api/v1/")) return api(state, url, request, response);
  const art = url.pathname.match(/^\/art\/(\w+)\/1\/(poster|backdrop)$/);
  if (art) {
    response.writeHead(200, { "content-type": "image/svg+xml", "cache-control": "public, max-age=3600" });
    return response.end(artwork(cardById(art[1]) ?? cards[0], art[2] === "backdrop"));
  }
  if (state.ended.some((folder) => url.pathname.startsWith(folder))) return response.writeHead(403).end();
  if (state.crowded.some((folder) => url.pathname.startsWith(folder))) return response.writeHead(429).end();
  if (media && url.pathname.startsWith("/media/")) return file(join(media, normalize(url.pathname.slice(7))), response);
  const asked = join(dist, normalize(url.pathname));
  return file(existsSync(asked) && statSync(asked).isFile() ? asked : join(dist, "index.html"), response);
}

function events(response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(": here\n\n");
}

/** What was sent; nothing where it broke off. */
async function bodyOf(request) {
  const chunks = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
  } catch (error) {
    if (request.complete) throw error;
    return undefined;
  }
  return Buffer.concat(chunks);
}

async function api(state, url, request, response) {
  const path = url.pathname.slice("/api/v1".length);
  const raw = await bodyOf(request);
  // Whoever asked has gone, as a page does that is loaded again.
  if (raw === undefined) return;
  const isJson = raw.length > 0 && request.headers["content-type"]?.includes("json");
  const body = isJson ? JSON.parse(raw.toString()) : undefined;
  state.calls.push({ method: request.method, path, body });
  try {
    const failure = state.failing.get(`${request.method} ${path}`);
    if (failure) throw new Refusal(failure, "unavailable", "Unavailable", "The recommender does not answer.");
    if (!state.signedIn && !path.startsWith("/auth/")) throw new Refusal(401, "unauthenticated", "Log in");
    const profile = request.headers["x-profile"];
    if (profile && !state.profiles.some(({ id }) => id === profile))
      throw new Refusal(404, "profile_not_found", "Gone");
    const found = routes.find(([method, pattern]) => method === request.method && pattern.test(path)) ?? notFound();
    const query = Object.fromEntries(url.searchParams);
    const answer = await found[2](state, path.match(found[1]), { body, query, raw, headers: request.headers });
    if (answer instanceof Reply) return response.writeHead(answer.status, answer.headers).end();
    response.writeHead(answer === undefined ? 204 : 200, { "content-type": "application/json" });
    response.end(answer === undefined ? undefined : JSON.stringify(answer));
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    response.writeHead(refusal.status, { "content-type": "application/problem+json", "x-request-id": "fx-1" });
    response.end(JSON.stringify({ type: "about:blank", ...refusal, correlation_id: "01fixture" }));
  }
}

function file(path, response) {
  if (!existsSync(path)) {
    response.writeHead(404);
    return response.end();
  }
  response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
  createReadStream(path).pipe(response);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fixture = await startFixture({ port: Number(process.argv[2] ?? 4173) });
  console.log(`fixture at ${fixture.url}`);
}
