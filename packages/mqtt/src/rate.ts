import { steadyClock, type Clock } from "@starcast/core";

/** At most so many per second, evenly: a bucket that holds a tenth of a second's worth, so that a pause is not made up for at once. */
export class Rate {
  readonly #perMs: number;
  readonly #capacity: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;

  constructor(perSecond: number, clock: Clock) {
    this.#perMs = perSecond / 1_000;
    this.#capacity = Math.max(1, perSecond / 10);
    this.#clock = steadyClock(clock);
    this.#tokens = this.#capacity;
    this.#filledAt = this.#clock.now();
  }

  /** True, and one less, when one more is allowed now. */
  take(): boolean {
    if (this.#capacity === Infinity) return true;
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Milliseconds until one more is allowed. */
  get waitMs(): number {
    if (this.#capacity === Infinity) return 0;
    this.#fill();
    return Math.max(0, Math.ceil((1 - this.#tokens) / this.#perMs));
  }

  #fill(): void {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#capacity, this.#tokens + (now - this.#filledAt) * this.#perMs);
    this.#filledAt = now;
  }
}
