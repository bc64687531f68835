import { realSurroundings, type Clock, type Scheduler, type Surroundings, type Timer } from "@starcast/core";
import { seededRandom, type SeededRandom } from "./seeded-random.ts";

export interface FakeSurroundingsOptions {
  /** Milliseconds since the Unix epoch at which the fake time begins. @default 2026-01-01T00:00:00Z */
  readonly startsAt?: number | undefined;
  /** `manual`: a turn comes with `runTurn`. `real`: the event loop's own, for tests over real sockets. @default "manual" */
  readonly turns?: "manual" | "real" | undefined;
  /** `runUntilIdle` gives up after so many turns: what wakes itself for ever never is idle. @default 10_000 */
  readonly maxTurns?: number | undefined;
}

/** Time and chance that only a test moves. */
export interface FakeSurroundings extends Surroundings {
  readonly random: SeededRandom;
  /** Timers that wait. */
  readonly timerCount: number;
  /** Turns that wait: 0 when idle. */
  readonly turnCount: number;
  /** Milliseconds until the next timer; null when none waits. */
  readonly nextTimerInMs: number | null;
  /** Lets time pass: runs what falls due in its order, each followed by the turns and promises it starts. */
  advance(ms: number): Promise<void>;
  /** Runs what waits for the next turn now, not what that adds; promises settle in between. */
  runTurn(): Promise<void>;
  /** Runs turns until none waits; timers stay. */
  runUntilIdle(): Promise<void>;
  /** Settles promises, no turn. */
  settle(): Promise<void>;
}

/** A clock, a scheduler and chance from a seed. Nothing happens unless the test lets it happen. */
export function fakeSurroundings(seed = 1, options: FakeSurroundingsOptions = {}): FakeSurroundings {
  return new TestTime(seededRandom(seed), options);
}

class TestTime implements FakeSurroundings {
  readonly random: SeededRandom;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly #maxTurns: number;
  readonly #timers = new Set<FakeTimer>();
  #turns: (() => void)[] = [];
  #now: number;
  #count = 0;

  constructor(
    random: SeededRandom,
    { startsAt = Date.UTC(2026, 0, 1), turns = "manual", maxTurns = 10_000 }: FakeSurroundingsOptions,
  ) {
    this.random = random;
    this.#now = startsAt;
    this.#maxTurns = maxTurns;
    this.clock = { now: () => this.#now };
    this.scheduler = {
      after: (ms, run) => this.#after(ms, run),
      nextTurn: (run) => void (turns === "real" ? realSurroundings.scheduler.nextTurn(run) : this.#turns.push(run)),
    };
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  get turnCount(): number {
    return this.#turns.length;
  }

  get nextTimerInMs(): number | null {
    const next = this.#nextTimer();
    return next === null ? null : Math.max(0, next.at - this.#now);
  }

  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.runUntilIdle();
    for (let timer = this.#nextTimer(); timer !== null && timer.at <= until; timer = this.#nextTimer()) {
      this.#now = Math.max(this.#now, timer.at);
      this.#timers.delete(timer);
      timer.run();
      await this.runUntilIdle();
    }
    this.#now = until;
  }

  async runTurn(): Promise<void> {
    const turns = this.#turns;
    this.#turns = [];
    await this.settle();
    for (const run of turns) {
      run();
      await this.settle();
    }
  }

  async runUntilIdle(): Promise<void> {
    await this.settle();
    for (let turn = 0; this.#turns.length > 0; turn += 1) {
      if (turn >= this.#maxTurns) throw new Error(`Expected to be idle after ${this.#maxTurns} turns, got another one`);
      await this.runTurn();
    }
  }

  // The event loop goes on only when every promise that can settle has.
  settle(): Promise<void> {
    return new Promise((resolve) => realSurroundings.scheduler.nextTurn(resolve));
  }

  #after(ms: number, run: () => void): Timer {
    this.#count += 1;
    const timer: FakeTimer = { at: this.#now + Math.max(0, ms), number: this.#count, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  #nextTimer(): FakeTimer | null {
    let next: FakeTimer | null = null;
    for (const timer of this.#timers) {
      if (next === null || timer.at < next.at || (timer.at === next.at && timer.number < next.number)) next = timer;
    }
    return next;
  }
}

interface FakeTimer {
  readonly at: number;
  /** Timers of one moment run in the order they were set. */
  readonly number: number;
  readonly run: () => void;
}
