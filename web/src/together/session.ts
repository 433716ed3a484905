/** Watching together, as the player holds it: loaded when somebody opens or joins a party, and not before. */
import { answer, client } from "@/api/client";
import type { Id } from "@/api/types";
import { Follower } from "./follow";
import { type Course, Party } from "./party";
import { positionAt } from "./sync";
import { Voice } from "./voice";

/** What a press in the player asks of the film. */
export type Wish = Partial<Course>;

export class Session {
  readonly party: Party;
  readonly voice: Voice;
  #follower: Follower | undefined;
  #video: HTMLVideoElement | undefined;
  #blocked = false;
  #watchers = new Set<() => void>();

  constructor(id: string, titleId: Id) {
    this.party = new Party(id, titleId);
    this.voice = new Voice((message) => this.party.say(message));
    this.party.listen({
      welcome: (you) => {
        this.voice.welcome(you);
        this.#follower?.tellAgain();
      },
      members: (members) => this.voice.members(members),
      ice: (servers) => this.voice.ice(servers),
      signal: (signal) => void this.voice.signal(signal),
    });
    this.party.subscribe(() => {
      if (this.party.isOver && this.voice.snapshot().status !== "off") this.voice.leave();
    });
  }

  subscribe = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  /** Whether the browser lets the film begin only after a press. */
  blocked = (): boolean => this.#blocked;

  /** From now on this element is where the party is; gives back how to stop that. */
  follow(video: HTMLVideoElement): () => void {
    const { party } = this;
    const leader = {
      state: () => party.snapshot().film,
      now: party.now,
      onChange: party.subscribe,
      waiting: (waiting: boolean) => void party.say({ type: "waiting", waiting }),
    };
    const follower = new Follower(video, leader, (blocked) => {
      this.#blocked = blocked;
      for (const watcher of this.#watchers) watcher();
    });
    this.#follower = follower;
    this.#video = video;
    party.position = () => video.currentTime;
    return () => {
      follower.stop();
      if (this.#follower !== follower) return;
      this.#follower = undefined;
      this.#video = undefined;
      party.position = undefined;
    };
  }

  /**
   * What a press in the player becomes: "alone" where there is no party to ask, "done" where the party does it, "refused" where
   * only the host may.
   */
  steer(wish: Wish): "alone" | "done" | "refused" {
    const video = this.#video;
    const { film } = this.party.snapshot();
    if (!video || !film || this.party.isOver) return "alone";
    if (this.#follower?.blocked) {
      this.#follower.unblock();
      return "done";
    }
    if (!this.party.mayControl) return "refused";
    const [now, { duration }] = [this.party.now(), video];
    if (now === undefined) return "refused";
    // While somebody is waited for, the picture stands still and the film is on: a press stops it.
    const playing = film.waiting_for.length > 0 && wish.playing === true ? false : (wish.playing ?? film.playing);
    const here = film.playing && playing ? positionAt(film, now, duration) : video.currentTime;
    const wanted = wish.position_s ?? here;
    const position_s = Math.max(0, Number.isFinite(duration) ? Math.min(wanted, duration) : wanted);
    const course = { playing, position_s, rate: wish.rate ?? film.rate };
    const goes = wish.position_s !== undefined;
    const begins = playing && (goes || !film.playing);
    const where = goes ? "elsewhere" : "here";
    return this.party.control(course, begins ? where : undefined) ? "done" : "refused";
  }

  close() {
    this.voice.leave();
    this.party.leave();
  }
}

/** Opens a party for what is on the screen. */
export function openParty(title_id: Id, { playing, position_s, rate }: Course) {
  return answer(client.POST("/api/v1/parties", { body: { title_id, playing, position_s, rate } }));
}

/** What the link leads to that others get. */
export function inviteOf(id: string): string {
  return new URL(`/together/${encodeURIComponent(id)}`, document.baseURI).href;
}
