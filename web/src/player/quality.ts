/**
 * How a showing went, told to the house: how long until the first picture, stalls, changes of quality and troubles. Each report
 * says what has happened since the one before; the last one says that it is the last. What did not arrive is said again.
 */
import { type QualityReport, sendQuality } from "@/api/endpoints";
import type { Trouble } from "./engine";

export const EVERY_MS = 60_000;
/** What one report may hold, as the server declares it. */
const STALLS_MAX = 100;
const SWITCHES_MAX = 10_000;
const ERRORS_MAX = 1000;
const SECONDS_MAX = 3600;
/** More than this between two looks at the position is a jump, or sleep. */
const STEP_MAX_S = 2;

export interface Figures {
  startup_s: number | undefined;
  stalls: number;
  stalled_s: number;
  switches: number;
  errors: number;
  watched_s: number;
}

/** Counts what happens; time is given in milliseconds by whoever calls. */
export class QualityMeter {
  readonly total: Figures = {
    startup_s: undefined,
    stalls: 0,
    stalled_s: 0,
    switches: 0,
    errors: 0,
    watched_s: 0,
  };
  private unsaid: QualityReport = nothing();
  private stalledAt: number | undefined;
  private last: number | undefined;

  constructor(private readonly pressedAt: number) {}

  firstPicture(now: number) {
    if (this.total.startup_s !== undefined) return;
    const startup = seconds(now - this.pressedAt);
    this.total.startup_s = startup;
    this.unsaid.startup_s = startup;
  }

  /** Nothing more to show, though nobody has paused or jumped. */
  stalled(now: number) {
    if (this.total.startup_s !== undefined) this.stalledAt ??= now;
  }

  /** It moves again, or the viewer has stopped waiting. */
  moves(now: number) {
    if (this.stalledAt === undefined) return;
    const lasted = seconds(now - this.stalledAt);
    this.stalledAt = undefined;
    this.total.stalls += 1;
    this.total.stalled_s += lasted;
    if (this.unsaid.stalls_s.length < STALLS_MAX) this.unsaid.stalls_s.push(lasted);
  }

  switched() {
    this.total.switches += 1;
    this.unsaid.switches = Math.min(SWITCHES_MAX, this.unsaid.switches + 1);
  }

  failed(kind: Trouble) {
    this.total.errors += 1;
    // The house knows whom it has refused. What is locked is to it a picture that could not be shown.
    if (kind !== "tooMany") addError(this.unsaid, kind === "locked" ? "media" : kind, 1);
  }

  /** Where the film is, several times a second while it plays; undefined after a jump. */
  at(position: number | undefined) {
    const step = position === undefined || this.last === undefined ? 0 : position - this.last;
    this.last = position;
    if (step <= 0 || step > STEP_MAX_S) return;
    this.total.watched_s += step;
    this.unsaid.watched_s = Math.min(SECONDS_MAX, this.unsaid.watched_s + step);
  }

  /** What was not said yet; undefined where that is nothing. */
  take(now: number, last: boolean): QualityReport | undefined {
    if (last) this.moves(now);
    const { startup_s, stalls_s, switches, errors, watched_s } = this.unsaid;
    const silent = startup_s === undefined && watched_s === 0 && stalls_s.length + switches + errors.length === 0;
    if (silent && !last) return undefined;
    this.unsaid = nothing();
    return { startup_s, stalls_s, switches, errors, watched_s: rounded(watched_s), ended: last };
  }

  /** It did not arrive: said again the next time. */
  putBack(report: QualityReport) {
    this.unsaid.startup_s ??= report.startup_s;
    this.unsaid.stalls_s = [...report.stalls_s, ...this.unsaid.stalls_s].slice(0, STALLS_MAX);
    this.unsaid.switches = Math.min(SWITCHES_MAX, this.unsaid.switches + report.switches);
    for (const { kind, count } of report.errors) addError(this.unsaid, kind, count);
    this.unsaid.watched_s = Math.min(SECONDS_MAX, this.unsaid.watched_s + report.watched_s);
  }
}

function addError(report: QualityReport, kind: QualityReport["errors"][number]["kind"], count: number) {
  const known = report.errors.find((error) => error.kind === kind);
  if (known) known.count = Math.min(ERRORS_MAX, known.count + count);
  else report.errors.push({ kind, count });
}

const nothing = (): QualityReport => ({ stalls_s: [], switches: 0, errors: [], watched_s: 0, ended: false });
const rounded = (value: number) => Math.round(value * 1000) / 1000;
const seconds = (ms: number) => rounded(Math.max(0, Math.min(SECONDS_MAX, ms / 1000)));

type Send = typeof sendQuality;

/** Sends what a meter has counted, at intervals and once at the end. */
export class QualityReporter {
  private ended = false;

  constructor(
    private readonly meter: QualityMeter,
    private readonly session: () => string,
    private readonly now: () => number = () => performance.now(),
    private readonly send: Send = sendQuality,
  ) {}

  report() {
    this.say(false);
  }

  end() {
    this.say(true);
  }

  private say(last: boolean) {
    if (this.ended) return;
    const report = this.meter.take(this.now(), last);
    if (!report) return;
    this.ended = last;
    this.send(this.session(), report).catch(() => this.meter.putBack(report));
  }
}
