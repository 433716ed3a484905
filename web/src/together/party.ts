/** A party as this page knows it: the socket, what was said over it, and coming back after it was lost. */
import { answer, client } from "@/api/client";
import { BASE, Problem, refreshSession } from "@/api/http";
import { chosenProfile } from "@/api/profile-choice";
import { Clock } from "./clock";
import type { FilmState, FromMember, Line, Member, MemberId, Signal, ToMember } from "./messages";

/** Why there is no party any more. */
export type Ended = "left" | "over" | "full" | "notForProfile" | "elsewhere";

export interface PartyView {
  /** `lost`: the connection is gone, and being made again. */
  status: "connecting" | "here" | "lost" | Ended;
  you: MemberId | undefined;
  host: MemberId | undefined;
  everyoneControls: boolean;
  members: readonly Member[];
  chat: readonly Line[];
  film: FilmState | undefined;
  refused: string | undefined;
}

export interface Course {
  playing: boolean;
  position_s: number;
  rate: number;
}

interface Listeners {
  welcome: (you: MemberId) => void;
  members: (members: readonly Member[]) => void;
  ice: (servers: RTCIceServer[]) => void;
  signal: (signal: Signal) => void;
}

const CHAT_LINES_KEPT = 200;
/** The first questions for the time come quickly, later ones keep the connection alive. */
const FIRST_PINGS = 6;
const FIRST_PING_EVERY_MS = 150;
const PING_EVERY_MS = 4_000;
const AGAIN_AFTER_MS = [300, 1_000, 2_000, 4_000, 8_000];
/** The host's page has this long to open the party again. */
const REOPENED_WITHIN_MS = 25_000;
const CONTROL_EVERY_MS = 120;
/** A beginning that everybody hears of before it comes, with time to go there. The server takes half a second at most. */
const BEGINS_AHEAD_MS = { here: 250, elsewhere: 450 };

const ENDINGS: Record<number, Ended> = {
  1000: "left",
  4000: "over",
  4004: "notForProfile",
  4005: "elsewhere",
  4006: "full",
};
const SESSION_ENDED = 4001;
const SAID_OF_CHAT = ["chat_too_fast", "message_invalid"];

export class Party {
  readonly id: string;
  readonly titleId: string;
  readonly #clock = new Clock();
  #view: PartyView = {
    status: "connecting",
    you: undefined,
    host: undefined,
    everyoneControls: false,
    members: [],
    chat: [],
    film: undefined,
    refused: undefined,
  };
  #socket: WebSocket | undefined;
  #seat: string | undefined;
  readonly #seatKey: string;
  #attempts = 0;
  #missingSince: number | undefined;
  /** As the server said it last. */
  #film: FilmState | undefined;
  #wanted: Extract<FromMember, { type: "control" }> | undefined;
  #unanswered = 0;
  #drawn = false;
  #timers = new Set<ReturnType<typeof setTimeout>>();
  #watchers = new Set<() => void>();
  #listeners: Partial<Listeners> = {};

  constructor(id: string, titleId: string) {
    this.id = id;
    this.titleId = titleId;
    this.#seatKey = `kinora.party.${id}`;
    this.#seat = rememberedSeat(this.#seatKey);
    this.#connect();
  }

  subscribe = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  snapshot = (): PartyView => this.#view;

  /** Who else wants to hear: the voice call. */
  listen(listeners: Partial<Listeners>) {
    this.#listeners = listeners;
  }

  /** The server's clock now, once it is known. */
  now = (): number | undefined => {
    const { offset } = this.#clock;
    return offset === undefined ? undefined : performance.now() + offset;
  };

  get mayControl(): boolean {
    const { you, host, everyoneControls } = this.#view;
    return you !== undefined && (you === host || everyoneControls);
  }

  get isOver(): boolean {
    const { status } = this.#view;
    return status !== "connecting" && status !== "here" && status !== "lost";
  }

  say(message: FromMember): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** From now on the film goes so; what begins somewhere does so for all at one moment. */
  control(course: Course, begins?: keyof typeof BEGINS_AHEAD_MS): boolean {
    const [now, { film, you }] = [this.now(), this.#view];
    if (now === undefined || !film || you === undefined || this.#socket?.readyState !== WebSocket.OPEN) return false;
    const at_ms = now + (begins ? BEGINS_AHEAD_MS[begins] : 0);
    this.#wanted = { type: "control", ...course, at_ms };
    // Here it is so at once; what the server makes of it comes soon.
    this.#change({ film: { ...film, ...course, at_ms, waiting_for: [], by: you } });
    if (!this.#drawn) this.#sayWanted();
    return true;
  }

  /** Who draws the seek bar wants a hundred places in a second: the first is said, and later the last. */
  #sayWanted() {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (!wanted) return;
    if (this.say(wanted)) this.#unanswered += 1;
    this.#drawn = true;
    this.#later(CONTROL_EVERY_MS, () => {
      this.#drawn = false;
      this.#sayWanted();
    });
  }

  /** What the server says of the film counts, once it has heard all that was said here. */
  #told(film: FilmState) {
    this.#film = film;
    if (film.by === this.#view.you) this.#unanswered = Math.max(0, this.#unanswered - 1);
    if (this.#unanswered === 0 && !this.#wanted) this.#change({ film });
  }

  #refused(code: string) {
    if (code === "not_host") {
      this.#unanswered = 0;
      this.#wanted = undefined;
    }
    // Of signals, who has just gone cannot be told any more; that is nobody's trouble.
    const refused = SAID_OF_CHAT.includes(code) ? code : this.#view.refused;
    this.#change({ refused, ...(this.#unanswered === 0 && this.#film ? { film: this.#film } : {}) });
  }

  leave() {
    this.say({ type: "leave" });
    this.#end("left");
  }

  #change(change: Partial<PartyView>) {
    this.#view = { ...this.#view, ...change };
    for (const watcher of this.#watchers) watcher();
  }

  #end(status: Ended) {
    if (this.isOver) return;
    rememberSeat(this.#seatKey, undefined);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    const socket = this.#socket;
    this.#socket = undefined;
    // What is still to be sent goes first.
    socket?.close();
    this.#change({ status, film: undefined });
  }

  #later(after_ms: number, run: () => void) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, after_ms);
    this.#timers.add(timer);
  }

  #connect() {
    const address = new URL(`${BASE}/parties/${encodeURIComponent(this.id)}/socket`, document.baseURI);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    const profile = chosenProfile.get();
    if (profile) address.searchParams.set("profile", profile);
    if (this.#seat) address.searchParams.set("seat", this.#seat);
    const socket = new WebSocket(address);
    this.#socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
      // It may be another server, by whose clock the film is elsewhere.
      this.#clock.reset();
      this.#change({ film: undefined });
      this.#ping(socket, FIRST_PINGS);
    };
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (socket === this.#socket && typeof data === "string") this.#hear(JSON.parse(data) as ToMember);
    };
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) void this.#lost(code, opened);
    };
  }

  #ping(socket: WebSocket, quick: number) {
    if (socket !== this.#socket || socket.readyState !== WebSocket.OPEN) return;
    this.say({ type: "ping", sent_ms: performance.now() });
    this.#later(quick > 0 ? FIRST_PING_EVERY_MS : PING_EVERY_MS, () => this.#ping(socket, quick - 1));
  }

  /** The connection is gone: what it was told, or what the server says when it is asked, decides what comes next. */
  async #lost(code: number, opened: boolean) {
    this.#socket = undefined;
    const ended = ENDINGS[code];
    if (ended) return this.#end(ended);
    if (this.#view.status === "here") this.#change({ status: "lost" });
    try {
      if (code === SESSION_ENDED && !(await refreshSession())) return this.#end("over");
      if (!opened && !(await this.#isThere())) return;
    } catch {
      // Nobody answers just now.
    }
    if (this.isOver) return;
    const wait = AGAIN_AFTER_MS[Math.min(this.#attempts, AGAIN_AFTER_MS.length - 1)] ?? 0;
    this.#attempts += 1;
    this.#later(code === SESSION_ENDED ? 0 : wait * (0.75 + Math.random() / 2), () => this.#connect());
  }

  /** Whether it is worth coming back. A party that went with its server is opened again by its host, for all. */
  async #isThere(): Promise<boolean> {
    try {
      await answer(client.GET("/api/v1/parties/{id}", { params: { path: { id: this.id } } }));
      this.#missingSince = undefined;
      return true;
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
    }
    const [film, { you, host }] = [this.#film, this.#view];
    if (!film || this.#view.status === "connecting") {
      this.#end("over");
      return false;
    }
    this.#missingSince ??= performance.now();
    if (performance.now() - this.#missingSince > REOPENED_WITHIN_MS) {
      this.#end("over");
      return false;
    }
    if (you === host) await this.#reopen(film);
    return true;
  }

  async #reopen(film: FilmState) {
    const position_s = this.position?.() ?? film.position_s;
    const body = { id: this.id, title_id: this.titleId, playing: film.playing, rate: film.rate, position_s };
    await answer(client.POST("/api/v1/parties", { body }));
  }

  /** Where the film is on this page: what is left when the server has forgotten. */
  position: (() => number) | undefined;

  #hear(message: ToMember) {
    switch (message.type) {
      case "welcome":
        this.#seat = message.seat;
        rememberSeat(this.#seatKey, message.seat);
        this.#attempts = 0;
        this.#missingSince = undefined;
        this.#unanswered = 0;
        this.#change({ status: "here", you: message.you, chat: message.chat, refused: undefined });
        this.#listeners.welcome?.(message.you);
        return;
      case "state": {
        const { type: _, ...film } = message;
        return this.#told(film);
      }
      case "members":
        this.#change({
          members: message.members,
          host: message.host,
          everyoneControls: message.everyone_controls,
        });
        return this.#listeners.members?.(message.members);
      case "chat": {
        const { type: _, ...line } = message;
        return this.#change({ chat: [...this.#view.chat, line].slice(-CHAT_LINES_KEPT), refused: undefined });
      }
      case "pong":
        this.#clock.add(message.sent_ms, message.received_ms, message.answered_ms, performance.now());
        // The first one says where the film is: until then nobody could tell.
        if (this.#clock.samples === 1) this.#change({});
        return;
      case "ice":
        return this.#listeners.ice?.(message.servers);
      case "refused":
        return this.#refused(message.code);
      default:
        return this.#listeners.signal?.(message);
    }
  }
}

/** For a reload of this page: the seat is kept, and with it who is host. */
function rememberSeat(key: string, seat: string | undefined) {
  try {
    if (seat) sessionStorage.setItem(key, seat);
    else sessionStorage.removeItem(key);
  } catch {
    // Storage is switched off: a reload takes a new seat.
  }
}

function rememberedSeat(key: string): string | undefined {
  try {
    return sessionStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}
