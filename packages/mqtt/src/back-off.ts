import type { Random } from "@starcast/core";

export interface BackOffLimits {
  readonly minMs: number;
  readonly maxMs: number;
}

/** A connection that lasted this long was a good one: the next failure starts from the beginning. */
export const stableAfterMs: number = 30_000;

/** Waits between attempts: full jitter below a ceiling that doubles from `minMs` to `maxMs`, so that a crowd does not come back at once. */
export class BackOff {
  readonly #limits: BackOffLimits;
  readonly #random: Random;
  #attempts = 0;

  constructor(limits: BackOffLimits, random: Random) {
    this.#limits = limits;
    this.#random = random;
  }

  /** How long to wait before the next attempt. */
  next(): number {
    const { minMs, maxMs } = this.#limits;
    const ceiling = Math.min(maxMs, minMs * 2 ** this.#attempts);
    // Counting on would overflow after a thousand failures.
    if (ceiling < maxMs) this.#attempts += 1;
    return Math.floor(this.#random.next() * ceiling);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
