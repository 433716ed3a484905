/**
 * One video being shown: hls.js over Media Source Extensions (or the browser's own HLS where there is none), its levels, and
 * its troubles in kinds that the page has words for. Starts at the lowest level and climbs.
 */
import type Hls from "hls.js";
import type { ErrorData, Level } from "hls.js";

export type Trouble = "network" | "media" | "expired" | "unsupported" | "unknown";

export interface Quality {
  index: number;
  height: number;
}

export interface EngineState {
  qualities: Quality[];
  /** -1 is Auto. */
  chosen: number;
  playingHeight: number | undefined;
  subtitles: { index: number; label: string }[];
  chosenSubtitle: number;
  trouble: Trouble | undefined;
}

const AUTO = -1;
const MEDIA_RECOVERIES_MAX = 2;
const NETWORK_RECOVERIES_MAX = 4;
const RECOVERY_PAUSE_MS = 1500;

/** Begins to load the player's library; the sooner it is called, the sooner the first picture. */
export const loadHls = () => import("hls.js").then((module) => module.default);

export class Engine {
  private hls: Hls | undefined;
  private mediaRecoveries = 0;
  private networkRecoveries = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private destroyed = false;
  private state: EngineState = {
    qualities: [],
    chosen: AUTO,
    playingHeight: undefined,
    subtitles: [],
    chosenSubtitle: AUTO,
    trouble: undefined,
  };
  private readonly listeners = new Set<() => void>();

  constructor(private readonly video: HTMLVideoElement) {}

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = () => this.state;

  /** Shows the stream from `startAt` seconds. */
  async open(url: string, startAt: number) {
    const HlsClass = await loadHls();
    if (this.destroyed) return;
    if (HlsClass.isSupported()) {
      this.attach(new HlsClass(settings(startAt)), HlsClass, url);
    } else if (this.video.canPlayType("application/vnd.apple.mpegurl")) {
      this.video.src = url;
      this.video.currentTime = startAt;
    } else {
      this.set({ trouble: "unsupported" });
    }
  }

  private attach(hls: Hls, HlsClass: typeof Hls, url: string) {
    this.hls = hls;
    const { Events } = HlsClass;
    hls.on(Events.MANIFEST_PARSED, (_event, data) => this.set({ qualities: qualitiesOf(data.levels) }));
    hls.on(Events.LEVEL_SWITCHED, (_event, data) => this.set({ playingHeight: hls.levels[data.level]?.height }));
    hls.on(Events.FRAG_BUFFERED, () => {
      this.networkRecoveries = 0;
      if (this.state.trouble === "network") this.set({ trouble: undefined });
    });
    hls.on(Events.SUBTITLE_TRACKS_UPDATED, (_event, data) =>
      this.set({
        subtitles: data.subtitleTracks.map((track, index) => ({
          index,
          label: track.name || track.lang || String(index + 1),
        })),
      }),
    );
    hls.on(Events.ERROR, (_event, data) => this.failed(data, HlsClass));
    hls.loadSource(url);
    hls.attachMedia(this.video);
  }

  private failed(data: ErrorData, HlsClass: typeof Hls) {
    if (!data.fatal || !this.hls) return;
    const status = data.response?.code;
    if (status === 401 || status === 403 || status === 410) return this.set({ trouble: "expired" });
    if (data.type === HlsClass.ErrorTypes.MEDIA_ERROR && this.mediaRecoveries < MEDIA_RECOVERIES_MAX) {
      this.mediaRecoveries += 1;
      this.hls.recoverMediaError();
      return;
    }
    if (data.type === HlsClass.ErrorTypes.NETWORK_ERROR) {
      this.set({ trouble: "network" });
      if (this.networkRecoveries >= NETWORK_RECOVERIES_MAX) return;
      this.networkRecoveries += 1;
      this.timer = setTimeout(() => this.hls?.startLoad(), RECOVERY_PAUSE_MS * this.networkRecoveries);
      return;
    }
    this.set({ trouble: data.type === HlsClass.ErrorTypes.MEDIA_ERROR ? "media" : "unknown" });
  }

  /** Takes up loading again after the viewer asked for it. */
  retry() {
    this.mediaRecoveries = 0;
    this.networkRecoveries = 0;
    const trouble = this.state.trouble;
    this.set({ trouble: undefined });
    if (trouble === "media") this.hls?.recoverMediaError();
    this.hls?.startLoad();
    void this.video.play().catch(() => undefined);
  }

  chooseQuality(index: number) {
    if (this.hls) this.hls.nextLevel = index;
    this.set({ chosen: index });
  }

  chooseSubtitle(index: number) {
    if (this.hls) {
      this.hls.subtitleTrack = index;
      this.hls.subtitleDisplay = index >= 0;
    }
    this.set({ chosenSubtitle: index });
  }

  destroy() {
    this.destroyed = true;
    clearTimeout(this.timer);
    this.hls?.destroy();
    this.hls = undefined;
    this.listeners.clear();
  }

  private set(change: Partial<EngineState>) {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

/** Low first, so that the picture comes at once; then as high as the line and the window allow. */
function settings(startAt: number) {
  return {
    startLevel: 0,
    startPosition: startAt > 0 ? startAt : -1,
    capLevelToPlayerSize: true,
    maxBufferLength: 30,
    maxMaxBufferLength: 90,
    backBufferLength: 60,
    manifestLoadPolicy: policy(8000),
    fragLoadPolicy: policy(20_000),
  };
}

function policy(longestMs: number) {
  const retry = { maxNumRetry: 4, retryDelayMs: 400, maxRetryDelayMs: 4000 };
  return { default: { maxTimeToFirstByteMs: 8000, maxLoadTimeMs: longestMs, timeoutRetry: retry, errorRetry: retry } };
}

/** Best first; where two levels share a height, the better one stands for both. */
export function qualitiesOf(levels: readonly Pick<Level, "height" | "bitrate">[]): Quality[] {
  const best = new Map<number, { index: number; bitrate: number }>();
  levels.forEach((level, index) => {
    const known = best.get(level.height);
    if (!known || known.bitrate < level.bitrate) best.set(level.height, { index, bitrate: level.bitrate });
  });
  return [...best].map(([height, { index }]) => ({ index, height })).sort((a, b) => b.height - a.height);
}
