import { StarcastError, type Surroundings, type Timer } from "@starcast/core";
import { closed } from "./publish-failure.ts";

/** Timestamps of the newest events, for acknowledgements that come after the event itself. */
export const maxRecent = 4_096;

export interface EchoesOptions {
  readonly surroundings: Surroundings;
  /** How long an event that was acknowledged may take to come back. */
  readonly timeoutMs: number;
  /** The newest sequence that is here already. */
  readonly newest: number;
}

/**
 * What came back from the stream of what this process sent: an append is done when its events are here. Hot path: one
 * look-up per event and one timer for all, where a timer each cost a third of a publication.
 */
export class Echoes {
  readonly #options: EchoesOptions;
  /** By sequence modulo its length: which one stands there, and its timestamp. */
  readonly #recent = { sequences: new Float64Array(maxRecent), timestamps: new Array<string>(maxRecent).fill("") };
  /** By sequence; in the order of the calls, hence of the deadlines. */
  readonly #awaited = new Map<number, Awaited[]>();
  #newest: number;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: EchoesOptions) {
    this.#options = options;
    this.#newest = options.newest;
  }

  came(sequence: number, timestamp: string): void {
    const before = this.#newest;
    this.#newest = sequence;
    const slot = sequence % maxRecent;
    this.#recent.sequences[slot] = sequence;
    this.#recent.timestamps[slot] = timestamp;
    if (this.#awaited.size === 0) return;
    if (sequence === before + 1) return this.#settle(sequence);
    // Retention took what lies between: who waits for it has waited long enough.
    for (const each of [...this.#awaited.keys()]) if (each <= sequence) this.#settle(each);
  }

  /**
   * The timestamp of an event once everything through it is here; null for one that came too long ago to be remembered.
   * Rejects with `timed_out` or `log_closed`.
   */
  reached(sequence: number): Promise<string | null> {
    if (sequence <= this.#newest) return Promise.resolve(this.#timestampOf(sequence));
    if (this.#isClosed) return Promise.reject(closed());
    const { surroundings, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const awaited = { resolve, reject, deadline: surroundings.clock.now() + timeoutMs };
      const others = this.#awaited.get(sequence);
      if (others === undefined) this.#awaited.set(sequence, [awaited]);
      else others.push(awaited);
      this.#timer ??= this.#watch();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const all of this.#awaited.values()) for (const { reject } of all) reject(closed());
    this.#awaited.clear();
  }

  #settle(sequence: number): void {
    const all = this.#awaited.get(sequence);
    if (all === undefined) return;
    this.#awaited.delete(sequence);
    for (const { resolve } of all) resolve(this.#timestampOf(sequence));
  }

  #timestampOf(sequence: number): string | null {
    const slot = sequence % maxRecent;
    return this.#recent.sequences[slot] === sequence ? (this.#recent.timestamps[slot] ?? null) : null;
  }

  #watch(): Timer {
    const { scheduler, clock } = this.#options.surroundings;
    return scheduler.after(lookEveryMs, () => {
      this.#expire(clock.now());
      this.#timer = this.#awaited.size > 0 ? this.#watch() : null;
    });
  }

  #expire(now: number): void {
    for (const [sequence, all] of this.#awaited) {
      const late = all.filter(({ deadline }) => deadline <= now);
      if (late.length === 0) break;
      if (late.length === all.length) this.#awaited.delete(sequence);
      else all.splice(0, late.length);
      for (const { reject } of late) reject(timedOut(sequence));
    }
  }
}

const lookEveryMs = 250;

interface Awaited {
  readonly deadline: number;
  readonly resolve: (timestamp: string | null) => void;
  readonly reject: (error: StarcastError) => void;
}

function timedOut(sequence: number): StarcastError {
  return new StarcastError("timed_out", `Expected the stream to give event ${sequence}, got nothing in time`);
}
