import type { Surroundings, Timer } from "../clock.ts";

/** Something that is looked at when its time has come. */
export interface Beating {
  /** Milliseconds since the epoch of the next look; may change at any time. */
  readonly dueAt: number;
  /** Looks, and moves `dueAt`. */
  beat(now: number): void;
}

/** One timer for all connections, for whatever they do by the clock; it runs only while there are any. */
export class Heartbeat {
  readonly #surroundings: Surroundings;
  readonly #everyMs: number;
  readonly #members = new Set<Beating>();
  #timer: Timer | null = null;

  /** Looks come at most `everyMs` late. */
  constructor(surroundings: Surroundings, everyMs: number) {
    this.#surroundings = surroundings;
    this.#everyMs = everyMs;
  }

  add(member: Beating): void {
    this.#members.add(member);
    if (this.#timer === null) this.#arm();
  }

  delete(member: Beating): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.close();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = this.#surroundings.scheduler.after(this.#everyMs, () => this.#round());
  }

  #round(): void {
    this.#timer = null;
    // Members come and go while they are looked at, which a Set allows.
    const now = this.#surroundings.clock.now();
    for (const member of this.#members) if (member.dueAt <= now) member.beat(now);
    if (this.#members.size > 0 && this.#timer === null) this.#arm();
  }
}
