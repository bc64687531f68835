/**
 * Lets so many through per second, in small portions: a token bucket that holds a tenth of a second's worth. The rate may
 * change at any time. Pure but for the times it is given, which never need to come from a timer.
 */
export class RateGate {
  #tokens: number;
  #at: number;

  constructor(now: number) {
    this.#tokens = 1;
    this.#at = now;
  }

  /** How many may pass now. */
  room(now: number, perSecond: number): number {
    if (perSecond === Infinity) return Infinity;
    return Math.floor(this.#level(now, perSecond));
  }

  take(count: number, now: number, perSecond: number): void {
    if (perSecond === Infinity) {
      this.#at = now;
      this.#tokens = 1;
      return;
    }
    this.#tokens = this.#level(now, perSecond) - count;
    this.#at = now;
  }

  /** When the next one may pass. */
  nextAt(now: number, perSecond: number): number {
    const missing = 1 - this.#level(now, perSecond);
    return missing <= 0 ? now : now + Math.ceil((missing * 1_000) / perSecond);
  }

  #level(now: number, perSecond: number): number {
    if (perSecond === Infinity) return Infinity;
    // A clock that was set back counts as well: what it shows now is no reason to wait until it is there again.
    const gained = (Math.abs(now - this.#at) * perSecond) / 1_000;
    return Math.min(this.#tokens + gained, Math.max(1, perSecond / 10));
  }
}
