import { StarcastError, type Surroundings, type Timer } from "@starcast/core";

/** Timestamps of the newest events, for acknowledgements that come after the event itself. */
export const maxRecent = 4_096;

/** What came back from the stream of what this process sent: an append is done when its events are here. */
export class Echoes {
  readonly #recent = new Map<number, string>();
  readonly #awaited = new Set<Awaited>();
  #newest: number;
  #isClosed = false;

  constructor(newest: number) {
    this.#newest = newest;
  }

  came(sequence: number, timestamp: string): void {
    this.#newest = sequence;
    this.#recent.set(sequence, timestamp);
    if (this.#recent.size > maxRecent) {
      for (const oldest of this.#recent.keys()) {
        this.#recent.delete(oldest);
        break;
      }
    }
    for (const each of this.#awaited) {
      // In the order of the calls, which is that of the sequences but for duplicates.
      if (each.sequence <= sequence) this.#settle(each);
    }
  }

  /** Resolves when everything through this sequence is here; rejects with `timed_out` or `log_closed`. */
  reached(sequence: number, surroundings: Surroundings, timeoutMs: number): Promise<void> {
    if (sequence <= this.#newest) return Promise.resolve();
    if (this.#isClosed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const awaited: Awaited = {
        sequence,
        resolve,
        reject,
        timer: surroundings.scheduler.after(timeoutMs, () => {
          this.#awaited.delete(awaited);
          reject(new StarcastError("timed_out", `Expected the stream to give event ${sequence}, got nothing in time`));
        }),
      };
      this.#awaited.add(awaited);
    });
  }

  /** The timestamp of an event once it is here; null for one that came too long ago to be remembered. */
  async timestampOf(sequence: number, surroundings: Surroundings, timeoutMs: number): Promise<string | null> {
    await this.reached(sequence, surroundings, timeoutMs);
    return this.#recent.get(sequence) ?? null;
  }

  close(): void {
    this.#isClosed = true;
    for (const each of this.#awaited) {
      each.timer.cancel();
      each.reject(closed());
    }
    this.#awaited.clear();
  }

  #settle(awaited: Awaited): void {
    awaited.timer.cancel();
    this.#awaited.delete(awaited);
    awaited.resolve();
  }
}

interface Awaited {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: StarcastError) => void;
  readonly timer: Timer;
}

function closed(): StarcastError {
  return new StarcastError("log_closed", "Expected an open log, got one that was closed");
}
