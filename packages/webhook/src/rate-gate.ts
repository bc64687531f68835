/**
 * Lets so many through per second, in small portions: a token bucket that holds a tenth of a second's worth. The rate may
 * change at any time. Pure but for the times it is given, which never need to come from a timer, and must never go back.
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
    const gained = ((now - this.#at) * perSecond) / 1_000;
    return Math.min(this.#tokens + gained, Math.max(1, perSecond / 10));
  }
}
