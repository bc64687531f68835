import type { Surroundings, Timer } from "../clock.ts";

/** Something that is looked at when its time has come. */
export interface Beating {
  /** When the next look is, on the clock of the heartbeat; may change at any time. */
  readonly dueAt: number;
  /** Looks, and moves `dueAt`. */
  beat(now: number): void;
}

/** One timer for all connections, for whatever they do by the clock. */
export class Heartbeat {
  readonly #surroundings: Surroundings;
  readonly #everyMs: number;
  readonly #members: ReadonlySet<Beating>;
  readonly #onRound: () => void;
  #timer: Timer | null = null;

  /** Looks come at most `everyMs` late; `onRound` before each round of them. */
  constructor(surroundings: Surroundings, everyMs: number, members: ReadonlySet<Beating>, onRound: () => void) {
    this.#surroundings = surroundings;
    this.#everyMs = everyMs;
    this.#members = members;
    this.#onRound = onRound;
  }

  /** Goes on until there are no members any more. Idempotent. */
  start(): void {
    this.#timer ??= this.#surroundings.scheduler.after(this.#everyMs, () => this.#round());
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #round(): void {
    this.#timer = null;
    this.#onRound();
    // Members come and go while they are looked at, which a Set allows.
    const now = this.#surroundings.clock.now();
    for (const member of this.#members) if (member.dueAt <= now) member.beat(now);
    if (this.#members.size > 0) this.start();
  }
}
