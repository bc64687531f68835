import { StarcastError, steadyClock, type Clock, type Surroundings, type Timer } from "@starcast/core";
import { closed } from "./publish-failure.ts";

export interface EchoesOptions {
  readonly surroundings: Surroundings;
  /** How long an event that was acknowledged may take to come back. */
  readonly timeoutMs: number;
  /** The newest sequence that is here already. */
  readonly newest: number;
}

/** Who waits for a sequence hears of one of both, once. */
export interface Awaiting {
  /** Set by who lets it wait. */
  deadline: number;
  came(): void;
  failed(error: StarcastError): void;
}

/**
 * What came back from the stream of what this process sent: an append is done when its events are here. Hot path: one
 * look-up per event and one timer for all, where a timer each cost a third of a publication.
 */
export class Echoes {
  readonly #options: EchoesOptions;
  readonly #clock: Clock;
  /** The first that waits for a sequence; in the order of the calls, hence of the deadlines. */
  readonly #first = new Map<number, Awaiting>();
  /** Others that wait for the same: few. */
  #others: { readonly sequence: number; readonly awaiting: Awaiting }[] = [];
  #newest: number;
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: EchoesOptions) {
    this.#options = options;
    this.#clock = steadyClock(options.surroundings.clock);
    this.#newest = options.newest;
  }

  /** Everything through this sequence is here. */
  came(sequence: number): void {
    const before = this.#newest;
    this.#newest = sequence;
    if (this.#first.size === 0) return;
    if (sequence === before + 1) this.#settle(sequence);
    // Retention took what lies between: who waits for it has waited long enough.
    else for (const each of [...this.#first.keys()]) if (each <= sequence) this.#settle(each);
    if (this.#others.length > 0) this.#settleOthers();
  }

  /** Tells once everything through this sequence is here, at once if it is. Fails with `timed_out` or `log_closed`. */
  await(sequence: number, awaiting: Awaiting): void {
    if (sequence <= this.#newest) return awaiting.came();
    if (this.#isClosed) return awaiting.failed(closed());
    awaiting.deadline = this.#clock.now() + this.#options.timeoutMs;
    if (this.#first.has(sequence)) this.#others.push({ sequence, awaiting });
    else this.#first.set(sequence, awaiting);
    this.#timer ??= this.#watch();
  }

  /** As `await`, with a promise. */
  reached(sequence: number): Promise<void> {
    return new Promise((came, failed) => this.await(sequence, { came, failed, deadline: 0 }));
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    const all = [...this.#first.values(), ...this.#others.map(({ awaiting }) => awaiting)];
    this.#first.clear();
    this.#others = [];
    for (const each of all) each.failed(closed());
  }

  #settle(sequence: number): void {
    const first = this.#first.get(sequence);
    this.#first.delete(sequence);
    first?.came();
  }

  #settleOthers(): void {
    const here = this.#others.filter(({ sequence }) => sequence <= this.#newest);
    if (here.length === 0) return;
    this.#others = this.#others.filter(({ sequence }) => sequence > this.#newest);
    for (const { awaiting } of here) awaiting.came();
  }

  #watch(): Timer {
    return this.#options.surroundings.scheduler.after(lookEveryMs, () => {
      this.#expire(this.#clock.now());
      this.#timer = this.#first.size + this.#others.length > 0 ? this.#watch() : null;
    });
  }

  #expire(now: number): void {
    for (const [sequence, awaiting] of this.#first) {
      if (awaiting.deadline > now) break;
      this.#first.delete(sequence);
      awaiting.failed(timedOut(sequence));
    }
    const late = this.#others.filter(({ awaiting }) => awaiting.deadline <= now);
    this.#others = this.#others.filter(({ awaiting }) => awaiting.deadline > now);
    for (const { sequence, awaiting } of late) awaiting.failed(timedOut(sequence));
  }
}

const lookEveryMs = 250;

function timedOut(sequence: number): StarcastError {
  return new StarcastError("timed_out", `Expected the stream to give event ${sequence}, got nothing in time`);
}
