/**
 * One video being shown: hls.js over Media Source Extensions (or the browser's own HLS where there is none), its levels, and
 * its troubles in kinds that the page has words for. Starts at the lowest level and climbs. Addresses that are not good any more, as
 * after a long pause, are renewed on the way.
 */
import type Hls from "hls.js";
import type { ErrorData, Fragment } from "hls.js";
import { Problem } from "@/api/http";
import { type Quality, qualitiesOf, settings } from "./hls-settings";
import type { AudioTrack } from "./languages";
import { loadAhead } from "./load-ahead";
import { Sound } from "./sound";
import { nearestStart } from "./starts";

/** `tooMany`: other screens have the places that this account has. `locked`: the key of an encrypted film is not there or does not fit. */
export type Trouble = "network" | "media" | "expired" | "tooMany" | "locked" | "unsupported" | "unknown";

export interface EngineState {
  qualities: Quality[];
  /** -1 is Auto. */
  chosen: number;
  playingHeight: number | undefined;
  audio: AudioTrack[];
  /** -1 where the film has nothing to choose from. */
  playingAudio: number;
  trouble: Trouble | undefined;
}

export const NOTHING_YET: EngineState = {
  qualities: [],
  chosen: -1,
  playingHeight: undefined,
  audio: [],
  playingAudio: -1,
  trouble: undefined,
};

/** What is asked and told on the way. */
export interface EngineOptions {
  /** Asks for a new address of the same film. */
  renew?: () => Promise<string>;
  /** Which sound to begin with; undefined leaves it to the film. */
  audio?: (tracks: readonly AudioTrack[]) => AudioTrack | undefined;
  switched?: () => void;
  failed?: (trouble: Trouble) => void;
}

/** What the engine knows of this moment, for who wants to see how it goes. */
export interface EngineFigures {
  rung: number;
  rungs: number;
  width: number | undefined;
  height: number | undefined;
  bitrate: number | undefined;
  codecs: string | undefined;
  bandwidth: number | undefined;
}

const AUTO = -1;
const FRAMES_PER_S = 24;
const WHERE_IT_STOPPED = -1;
const MEDIA_RECOVERIES_MAX = 2;
const NETWORK_RECOVERIES_MAX = 4;
const RECOVERY_PAUSE_MS = 1500;
/** The answer of a house in which this account has no place left. */
const TOO_MANY = 429;
const NOT_THERE = 404;
/** Segments in a row that are nothing once they are decrypted. A wrong key makes noise of them, and now and then hls.js finds
 *  something like a transport stream or a frame of sound in it: then there is no error, and never a picture. */
const EMPTY_MAX = 3;
/** A new address that is refused as well is no use asking for again; one is until something has arrived under it. */
const RENEWALS_MAX = 1;
// As in MediaError, which not every simulated document has.
const MEDIA_ERR_NETWORK = 2;
const MEDIA_ERR_DECODE = 3;

/** Begins to load the player's library; the sooner it is called, the sooner the first picture. */
export const loadHls = () => import("hls.js").then((module) => module.default);

export class Engine {
  private hls: Hls | undefined;
  private sound: Sound | undefined;
  private url = "";
  /** Where the stream has lain: what manifests said is where it lay when they were loaded. */
  private folders: string[] = [];
  /** Whether the manifest has arrived: without it there is nothing to go on loading. */
  private parsed = false;
  /** Where the film begins, until something has arrived: only then the element knows its place. */
  private startAt = 0;
  private arrived = false;
  private stopListening = () => {};
  private mediaRecoveries = 0;
  private networkRecoveries = 0;
  private empty = 0;
  private renewals = 0;
  private renewing = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private destroyed = false;
  private level = -1;
  private state: EngineState = NOTHING_YET;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly options: EngineOptions = {},
  ) {}

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = () => this.state;

  /** Shows the stream from `startAt` seconds. */
  async open(url: string, startAt: number) {
    const HlsClass = await loadHls();
    if (this.destroyed) return;
    this.url = url;
    this.startAt = startAt;
    this.folders = [folderOf(url)];
    if (HlsClass.isSupported()) {
      // Addresses of the manifests lead to where the stream is now.
      const xhrSetup = (request: XMLHttpRequest, asked: string) => {
        const before = this.folders.find((folder) => asked.includes(folder));
        const now = before && asked.replace(before, folderOf(this.url));
        if (now && now !== asked) request.open("GET", now, true);
      };
      this.attach(new HlsClass({ ...settings(startAt), xhrSetup }), HlsClass);
    } else if (this.video.canPlayType("application/vnd.apple.mpegurl")) {
      this.listenToVideo();
      this.openByBrowser(startAt);
    } else {
      this.set({ trouble: "unsupported" });
    }
  }

  private attach(hls: Hls, HlsClass: typeof Hls) {
    this.hls = hls;
    const { Events } = HlsClass;
    hls.on(Events.MANIFEST_PARSED, (_event, data) => {
      this.parsed = true;
      this.level = -1;
      const sound = new Sound(hls, data.levels, data.audioTracks);
      this.sound = sound;
      // Before anything of it is loaded, so that nothing is loaded in vain.
      sound.begin(this.options.audio?.(sound.tracks));
      this.set({ qualities: qualitiesOf(sound.rungs()), audio: sound.tracks });
    });
    hls.on(Events.LEVEL_SWITCHED, (_event, data) => {
      if (this.level >= 0 && this.level !== data.level) this.options.switched?.();
      this.level = data.level;
      this.set({ playingHeight: hls.levels[data.level]?.height });
    });
    hls.on(Events.AUDIO_TRACK_SWITCHING, (_event, data) => this.set({ playingAudio: this.sound?.indexOf(data) ?? -1 }));
    hls.on(Events.FRAG_BUFFERED, () => {
      this.arrived = true;
      this.networkRecoveries = 0;
      this.renewals = 0;
      if (this.state.trouble === "network") this.set({ trouble: undefined });
    });
    hls.on(Events.FRAG_PARSED, (_event, { frag }) => this.parsedOne(frag));
    hls.on(Events.ERROR, (_event, data) => this.failed(data, HlsClass));
    this.stopListening = loadAhead(this.video, hls.config);
    hls.loadSource(this.url);
    hls.attachMedia(this.video);
  }

  private openByBrowser(startAt: number) {
    this.video.src = this.url;
    this.video.currentTime = startAt;
  }

  private place() {
    return this.hls && !this.arrived ? this.startAt : this.video.currentTime;
  }

  /** The browser's own HLS says what goes wrong by the element alone. */
  private listenToVideo() {
    const failed = () => {
      const trouble = troubleOf(this.video.error);
      if (trouble !== "unknown" || !this.goOnRenewed(trouble)) this.set({ trouble });
    };
    const plays = () => {
      this.renewals = 0;
      if (this.state.trouble === "network") this.set({ trouble: undefined });
    };
    this.video.addEventListener("error", failed);
    this.video.addEventListener("playing", plays);
    this.stopListening = () => {
      this.video.removeEventListener("error", failed);
      this.video.removeEventListener("playing", plays);
    };
  }

  private failed(data: ErrorData, HlsClass: typeof Hls) {
    if (!this.hls) return;
    const status = data.response?.code;
    if (status === TOO_MANY) {
      // At all levels alike.
      this.hls.stopLoad();
      return this.set({ trouble: "tooMany" });
    }
    if (isLocked(data, HlsClass)) return this.lock();
    const refused = status === 401 || status === 403 || status === 410;
    // Not only once it is fatal: until then all other levels would be tried, which lie under the same signature.
    if (refused && this.goOnRenewed("expired")) return;
    if (!data.fatal) return;
    if (refused) return this.set({ trouble: "expired" });
    if (data.type === HlsClass.ErrorTypes.MEDIA_ERROR && this.mediaRecoveries < MEDIA_RECOVERIES_MAX) {
      this.mediaRecoveries += 1;
      this.hls.recoverMediaError();
      return;
    }
    if (data.type === HlsClass.ErrorTypes.NETWORK_ERROR) {
      this.set({ trouble: "network" });
      if (this.networkRecoveries >= NETWORK_RECOVERIES_MAX) return;
      this.networkRecoveries += 1;
      this.timer = setTimeout(() => this.loadAgain(), RECOVERY_PAUSE_MS * this.networkRecoveries);
      return;
    }
    this.set({ trouble: data.type === HlsClass.ErrorTypes.MEDIA_ERROR ? "media" : "unknown" });
  }

  private parsedOne({ encrypted, elementaryStreams }: Pick<Fragment, "encrypted" | "elementaryStreams">) {
    const isEmpty = Object.values(elementaryStreams).every((stream) => stream === null);
    this.empty = encrypted && isEmpty ? this.empty + 1 : 0;
    if (this.empty >= EMPTY_MAX) this.lock();
  }

  private lock() {
    this.empty = 0;
    this.hls?.stopLoad();
    this.set({ trouble: "locked" });
  }

  /** Whether a new address is on its way; with it loading goes on where it stopped, and what is buffered plays meanwhile. */
  private goOnRenewed(trouble: Trouble): boolean {
    const { renew } = this.options;
    if (!renew) return false;
    if (this.renewing) return true;
    if (this.renewals >= RENEWALS_MAX) return false;
    this.renewals += 1;
    this.renewing = true;
    this.hls?.stopLoad();
    const failed = (error: unknown): Trouble => {
      if (!(error instanceof Problem)) return trouble;
      if (error.code === "too_many_streams") return "tooMany";
      return error.offline ? "network" : trouble;
    };
    void renew()
      .then(
        (url) => this.moveTo(url),
        (error: unknown) => !this.destroyed && this.set({ trouble: failed(error) }),
      )
      .finally(() => {
        this.renewing = false;
      });
    return true;
  }

  /** Goes on under a new address of the same title. */
  moveTo(url: string) {
    if (this.destroyed) return;
    const playing = !this.video.paused;
    const replaced = assetOf(url) !== assetOf(this.url);
    this.url = url;
    if (replaced) {
      // Another film by now: of the first only the place holds.
      this.startAt = this.place();
      this.arrived = false;
      this.parsed = false;
      this.folders = [];
      this.set({ chosen: AUTO });
      if (this.hls) this.hls.config.startPosition = this.startAt;
    }
    this.folders.push(folderOf(url));
    if (this.hls) this.loadAgain();
    else this.openByBrowser(this.place());
    if (playing) void this.video.play().catch(() => undefined);
  }

  /** From where loading stopped; from the manifest where not even that has come. */
  private loadAgain() {
    if (this.parsed) this.hls?.startLoad(this.arrived ? WHERE_IT_STOPPED : this.startAt);
    else this.hls?.loadSource(this.url);
  }

  /** Takes up loading again after the viewer asked for it. */
  retry() {
    clearTimeout(this.timer);
    this.mediaRecoveries = 0;
    this.networkRecoveries = 0;
    this.renewals = 0;
    const trouble = this.state.trouble;
    this.set({ trouble: undefined });
    if (!this.hls) this.openByBrowser(this.place());
    else if (trouble === "media") this.hls.recoverMediaError();
    this.loadAgain();
    void this.video.play().catch(() => undefined);
  }

  chooseQuality(index: number) {
    if (this.hls) this.hls.nextLevel = index;
    this.set({ chosen: index });
  }

  chooseAudio(index: number) {
    this.sound?.choose(index);
    if (this.sound) this.set({ qualities: qualitiesOf(this.sound.rungs()) });
  }

  /** Pictures in a second, as the manifest says. */
  frameRate(): number {
    return this.hls?.levels[this.level]?.frameRate || FRAMES_PER_S;
  }

  /**
   * Where near `time` a picture can be shown soonest: it is decoded from the start of its segment, so at a start nothing comes before it.
   * `time` itself where that lies loaded already.
   */
  soonest(time: number): number {
    const { buffered } = this.video;
    for (let at = 0; at < buffered.length; at += 1) {
      if (buffered.start(at) <= time && time < buffered.end(at)) return time;
    }
    const fragments = this.hls?.levels[this.level]?.details?.fragments ?? [];
    const start = nearestStart(fragments, time, this.video.duration);
    // In the middle of its first picture: edges are where rounding decides.
    return start === undefined ? time : start && start + 0.5 / this.frameRate();
  }

  figures(): EngineFigures {
    const level = this.hls?.levels[this.level];
    return {
      rung: this.level + 1,
      rungs: this.hls?.levels.length ?? 0,
      width: level?.width ?? this.video.videoWidth,
      height: level?.height ?? this.video.videoHeight,
      bitrate: level?.bitrate,
      codecs: level?.attrs.CODECS,
      bandwidth: this.arrived ? this.hls?.bandwidthEstimate : undefined,
    };
  }

  destroy() {
    this.destroyed = true;
    clearTimeout(this.timer);
    this.stopListening();
    this.hls?.destroy();
    this.hls = undefined;
    this.listeners.clear();
  }

  private set(change: Partial<EngineState>) {
    if (change.trouble && change.trouble !== this.state.trouble) this.options.failed?.(change.trouble);
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

/** Everything before the file's name. */
const folderOf = (url: string) => url.slice(0, url.lastIndexOf("/") + 1);

/** Which film lies there, under whatever signature: the last part of the folder. */
const assetOf = (url: string) => folderOf(url).split("/").at(-2);

/** What the browser's own HLS met: an address that it could not open at all may have run out, so a new one is asked for. */
function troubleOf(error: MediaError | null): Trouble {
  if (error?.code === MEDIA_ERR_NETWORK) return "network";
  return error?.code === MEDIA_ERR_DECODE ? "media" : "unknown";
}

/** Whether the key is not there, or what it opens is no film. A key that is refused or lost on its way is as any file that is. */
function isLocked({ details, fatal, frag, response }: ErrorData, { ErrorDetails }: typeof Hls): boolean {
  if (details === ErrorDetails.KEY_LOAD_ERROR) return response?.code === NOT_THERE;
  const unreadable = details === ErrorDetails.FRAG_PARSING_ERROR || details === ErrorDetails.FRAG_DECRYPT_ERROR;
  return unreadable && fatal && frag?.encrypted === true;
}
