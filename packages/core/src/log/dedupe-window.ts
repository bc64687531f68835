import type { Clock } from "../clock.ts";
import { StarcastError } from "../errors.ts";
import type { Appended } from "./event-log.ts";

/** Remembers dedupe keys for a time. Full, it refuses: forgetting early would let a duplicate through silently. */
export class DedupeWindow {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #maxKeys: number;
  // A Map keeps insertion order, which is the order of expiry.
  readonly #keys = new Map<string, { readonly first: Appended; readonly until: number }>();

  constructor(options: { readonly clock: Clock; readonly windowMs: number; readonly maxKeys: number }) {
    this.#clock = options.clock;
    this.#windowMs = options.windowMs;
    this.#maxKeys = options.maxKeys;
  }

  /** What was appended first under this key, while it is remembered. */
  find(key: string): Appended | undefined {
    this.#forgetExpired();
    const known = this.#keys.get(key);
    return known === undefined ? undefined : { ...known.first, isDuplicate: true };
  }

  /** Throws `overloaded` when so many more keys cannot be remembered. */
  reserve(count: number): void {
    this.#forgetExpired();
    if (this.#keys.size + count <= this.#maxKeys) return;
    throw new StarcastError(
      "overloaded",
      `Expected at most ${this.#maxKeys} dedupe keys within ${this.#windowMs} ms, got more: raise maxDedupeKeys or shorten dedupeWindowMs`,
    );
  }

  remember(key: string, first: Appended): void {
    this.#keys.set(key, { first, until: this.#clock.now() + this.#windowMs });
  }

  #forgetExpired(): void {
    const now = this.#clock.now();
    for (const [key, { until }] of this.#keys) {
      if (until > now) break;
      this.#keys.delete(key);
    }
  }
}
