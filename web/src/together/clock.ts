/** How far the server's clock is from ours: the four times of NTP (RFC 5905 §8), by the sample that was under way the shortest. */

interface Sample {
  offset: number;
  trip: number;
  at: number;
}

const SAMPLES_MAX = 12;
/** Clocks drift apart, about a millisecond in this time. */
const SAMPLE_LIVES_MS = 60_000;

export class Clock {
  #samples: Sample[] = [];

  /** A question sent and heard again by our clock, received and answered by the server's. */
  add(sent: number, received: number, answered: number, heard: number) {
    const trip = heard - sent - (answered - received);
    if (!(trip >= 0)) return;
    const offset = (received - sent + (answered - heard)) / 2;
    const young = this.#samples.filter(({ at }) => heard - at < SAMPLE_LIVES_MS);
    this.#samples = [...young, { offset, trip, at: heard }].slice(-SAMPLES_MAX);
  }

  /** Another connection may lead to another server, with a clock of its own. */
  reset() {
    this.#samples = [];
  }

  #best(): Sample | undefined {
    return this.#samples.reduce<Sample | undefined>(
      (best, sample) => (best && best.trip <= sample.trip ? best : sample),
      undefined,
    );
  }

  get offset(): number | undefined {
    return this.#best()?.offset;
  }

  /** The shortest way there and back: the offset is off by half of it at most. */
  get trip(): number | undefined {
    return this.#best()?.trip;
  }

  get samples(): number {
    return this.#samples.length;
  }
}
