/** How hls.js is set up, and the rungs that it found, as the menu shows them. */
import type { HlsConfig, Level } from "hls.js";

export interface Quality {
  index: number;
  height: number;
}

/** Low first, so that the picture comes at once; then as high as the line and the window allow. */
export function settings(startAt: number): Partial<HlsConfig> {
  return {
    startLevel: 0,
    startPosition: startAt > 0 ? startAt : -1,
    capLevelToPlayerSize: true,
    maxBufferLength: 30,
    maxMaxBufferLength: 90,
    backBufferLength: 60,
    // Subtitles are drawn by the player itself: see `use-subtitles.ts`.
    subtitleTrackController: undefined,
    subtitleStreamController: undefined,
    timelineController: undefined,
    manifestLoadPolicy: policy(8000),
    fragLoadPolicy: policy(20_000),
    keyLoadPolicy: policy(8000),
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
