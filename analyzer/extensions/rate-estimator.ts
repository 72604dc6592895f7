/** What `-j RATEEST` measures: moving averages of bytes and packets a second. */
import { jiffies, ticksPerSecond, type Clock } from './kernel-clock.js';

/** How averages are kept: in 256ths. */
const scale = 256;

/**
 * @see est_timer() and gen_estimator_read() in net/core/gen_estimator.c. The timer's ticks are made up for when somebody
 * looks; the first one comes an interval after the rule was loaded.
 */
export class RateEstimator {
  readonly #clock: Clock;
  /** In jiffies. */
  readonly #interval: number;
  /** What was counted in an interval times this is counted in a second, in 256ths. */
  readonly #perSecond: number;
  readonly #weight: number;
  #next: number;
  #newBytes = 0;
  #newPackets = 0;
  #bytes = 0;
  #packets = 0;

  /** It measures every `2 ** (intervalPower - 2)` seconds; a new measurement weighs `2 ** -averagePower`. */
  constructor(clock: Clock, intervalPower: number, averagePower: number) {
    this.#clock = clock;
    this.#interval = ticksPerSecond / 4 * 2 ** intervalPower;
    this.#perSecond = 4 * scale / 2 ** intervalPower;
    this.#weight = 2 ** averagePower;
    this.#next = Math.floor(jiffies(clock) + this.#interval);
  }

  count(bytes: number): void {
    this.#catchUp();
    this.#newBytes += bytes;
    this.#newPackets++;
  }

  /** Bytes and packets a second, rounded down. */
  read(): { readonly bytes: number; readonly packets: number } {
    this.#catchUp();
    return { bytes: Math.floor(this.#bytes / scale), packets: Math.floor(this.#packets / scale) };
  }

  #catchUp(): void {
    const now = jiffies(this.#clock);
    while (this.#next <= now) {
      const bytes = this.#step(this.#bytes, this.#newBytes);
      const packets = this.#step(this.#packets, this.#newPackets);
      const isSettled = bytes === this.#bytes && packets === this.#packets && this.#newPackets === 0;
      this.#bytes = bytes;
      this.#packets = packets;
      this.#newBytes = this.#newPackets = 0;
      // Nothing changes any more, however many ticks there are.
      this.#next = isSettled ? this.#next + Math.ceil((now - this.#next + 1) / this.#interval) * this.#interval : this.#next + this.#interval;
    }
  }

  #step(average: number, counted: number): number {
    return average + Math.floor(counted * this.#perSecond / this.#weight) - Math.floor(average / this.#weight);
  }
}

/** Kept under the name of the estimator, for the match; `estimator` is there once a RATEEST rule made it. */
export interface NamedEstimator {
  estimator: RateEstimator | undefined;
}

export function namedEstimator(): NamedEstimator {
  return { estimator: undefined };
}
