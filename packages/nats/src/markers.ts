import type { Clock } from "@starcast/core";
import type { Bucket } from "./bucket.ts";

/** What removals leave in a bucket, so that every process learns of them; taken out after a while. */
export class Markers {
  readonly #bucket: Bucket;
  readonly #clock: Clock;
  /** In the order of the removals. */
  readonly #left = new Map<string, { readonly revision: number; readonly at: number }>();

  constructor(bucket: Bucket, clock: Clock) {
    this.#bucket = bucket;
    this.#clock = clock;
  }

  left(key: string, revision: number): void {
    this.#left.set(key, { revision, at: this.#clock.now() });
    if (this.#left.size <= maxMarkers) return;
    // Stays in the bucket until a process that begins anew finds it there.
    for (const oldest of this.#left.keys()) {
      this.#left.delete(oldest);
      break;
    }
  }

  /** Takes out at most so many of those that every process has seen by now. */
  async purge(limit: number): Promise<void> {
    const before = this.#clock.now() - seenAfterMs;
    let purged = 0;
    for (const [key, { revision, at }] of this.#left) {
      if (at > before || purged >= limit) return;
      this.#left.delete(key);
      purged += 1;
      await this.#bucket.purge(key, revision);
    }
  }
}

/** A process that does not follow for so long has lost its connection, and begins anew from what there is. */
const seenAfterMs = 300_000;
export const maxMarkers = 100_000;
