/**
 * Tells the server where the viewer is: every few seconds while playing, and at once on pause, end and when the page goes.
 * A report that does not arrive is not queued: the next one says more.
 */
import { sendPosition } from "@/api/endpoints";
import type { PlayState } from "@/api/types";

export const EVERY_S = 5;

type Send = typeof sendPosition;

export class PositionReporter {
  private lastSent: { position: number; state: PlayState } | undefined;
  private stopped = false;

  constructor(
    private readonly session: string,
    private readonly send: Send = sendPosition,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Called often, with the playing position; reports when enough has been seen or the viewer has jumped. */
  playing(position: number) {
    const last = this.lastSent;
    if (last?.state === "playing" && Math.abs(position - last.position) < EVERY_S) return;
    this.report(position, "playing");
  }

  paused(position: number) {
    const last = this.lastSent;
    if (last && last.state !== "playing" && last.position === position) return;
    this.report(position, "paused");
  }

  ended(position: number) {
    this.report(position, "ended");
  }

  /** The last word of a page that goes away. */
  leave(position: number) {
    if (this.stopped) return;
    if (this.lastSent && this.lastSent.state !== "ended") this.paused(position);
    this.stopped = true;
  }

  private report(position: number, state: PlayState) {
    if (this.stopped || !Number.isFinite(position)) return;
    this.lastSent = { position, state };
    const body = { position_s: Math.max(0, Math.round(position * 10) / 10), state, at: this.now().toISOString() };
    this.send(this.session, body).catch(() => {
      // The next report carries the newer position.
    });
  }
}
