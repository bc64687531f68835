import {
  StarcastError,
  type Appended,
  type CheckpointStore,
  type DeliveryStore,
  type EventDraft,
  type EventLog,
  type ReadLimit,
  type RecordStore,
  type Scheduler,
  type Store,
  type StoredEvent,
  type Surroundings,
} from "@starcast/core";
import type { SeededRandom } from "../seeded-random.ts";

/** How an engine behaves around its data. */
export interface Weather {
  /** Longest delay of an operation, in milliseconds; 0: none. */
  readonly maxDelayMs: number;
  /** Probability that an operation fails, without effect. */
  readonly failing: number;
  /** Probability that an operation has its effect, and fails all the same: the answer was lost. */
  readonly torn: number;
}

export const fair: Weather = { maxDelayMs: 0, failing: 0, torn: 0 };

export function anyWeather(random: SeededRandom): Weather {
  return { maxDelayMs: random.pick([0, 5, 50]), failing: random.pick([0, 0, 0.05]), torn: random.pick([0, 0, 0.05]) };
}

/** One process: its own timers and its own way to the data, both ended by `kill`. */
export class SimulatedProcess {
  readonly surroundings: Surroundings;
  #isAlive = true;
  /** What waits for a sleeping process to wake; null while it is awake. */
  #held: (() => void)[] | null = null;
  readonly #unwatch: (() => void)[] = [];

  constructor(surroundings: Surroundings) {
    this.surroundings = { ...surroundings, scheduler: this.#mortal(surroundings.scheduler) };
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isAsleep(): boolean {
    return this.#held !== null;
  }

  /** The store as it is seen from here: late and failing by the weather, and gone with the process. */
  connect(data: Store, weather: Weather, random: SeededRandom): Store {
    const way = new Way(this.surroundings.scheduler, weather, random, () => this.#isAlive);
    const log = new ProcessLog(data.log, way, (stop) => this.#unwatch.push(stop));
    return {
      log,
      checkpoints: delayed<CheckpointStore>(data.checkpoints, way),
      deliveries: delayed<DeliveryStore>(data.deliveries, way),
      records: delayed<RecordStore>(data.records, way),
      close: async () => {
        await log.close();
        await data.close();
      },
    };
  }

  /** Nothing of it happens any more: no timer, no turn, no call, no answer. */
  kill(): void {
    this.#isAlive = false;
    for (const stop of this.#unwatch) stop();
  }

  /** Stops it in the middle, as a suspended machine is; the world goes on without it. */
  sleep(): void {
    this.#held ??= [];
  }

  /** Everything that fell due meanwhile happens now. */
  wake(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const run of held) run();
  }

  #mortal(scheduler: Scheduler): Scheduler {
    const guarded = (run: () => void) => (): void => {
      if (!this.#isAlive) return;
      if (this.#held === null) run();
      else this.#held.push(run);
    };
    return {
      after: (ms, run, options) => scheduler.after(ms, guarded(run), options),
      nextTurn: (run) => scheduler.nextTurn(guarded(run)),
    };
  }
}

/** The way from a process to its data: late, failing, and cut when the process dies. */
class Way {
  readonly #scheduler: Scheduler;
  readonly #weather: Weather;
  readonly #random: SeededRandom;
  readonly #isAlive: () => boolean;

  constructor(scheduler: Scheduler, weather: Weather, random: SeededRandom, isAlive: () => boolean) {
    this.#scheduler = scheduler;
    this.#weather = weather;
    this.#random = random;
    this.#isAlive = isAlive;
  }

  get isDirect(): boolean {
    return this.#weather.maxDelayMs === 0 && this.#weather.failing === 0 && this.#weather.torn === 0;
  }

  async go<Result>(operation: () => Promise<Result>): Promise<Result> {
    if (!this.isDirect) await this.#wait();
    if (!this.#isAlive()) return never();
    if (this.#random.chance(this.#weather.failing)) throw badWeather();
    const result = await operation();
    if (this.#random.chance(this.#weather.torn)) throw badWeather();
    return this.#isAlive() ? result : never();
  }

  async #wait(): Promise<void> {
    const ms = this.#random.integer(0, this.#weather.maxDelayMs);
    await new Promise<void>((resolve) =>
      ms === 0 ? this.#scheduler.nextTurn(resolve) : void this.#scheduler.after(ms, resolve),
    );
  }
}

class ProcessLog implements EventLog {
  readonly #data: EventLog;
  readonly #way: Way;
  readonly #remember: (stop: () => void) => void;
  #queue: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(data: EventLog, way: Way, remember: (stop: () => void) => void) {
    this.#data = data;
    this.#way = way;
    this.#remember = remember;
  }

  get epoch(): string {
    return this.#data.epoch;
  }

  get durability(): EventLog["durability"] {
    return this.#data.durability;
  }

  get isAtomic(): boolean {
    return this.#data.isAtomic;
  }

  get retention(): ReadLimit {
    return this.#data.retention;
  }

  get trimmedThrough(): number {
    return this.#data.trimmedThrough;
  }

  get head(): number {
    return this.#data.head;
  }

  append(drafts: readonly EventDraft[]): Promise<readonly Appended[]> {
    if (this.#isClosed) return Promise.reject(closed());
    if (this.#way.isDirect) return this.#data.append(drafts);
    // One after the other: calls of one process are not reordered, however long each takes.
    const appended = this.#queue.then(() => this.#way.go(() => this.#data.append(drafts)));
    this.#queue = appended.catch(() => undefined);
    return appended;
  }

  read(after: number, limit: ReadLimit): Promise<readonly StoredEvent[]> {
    return this.#isClosed ? Promise.reject(closed()) : this.#way.go(() => this.#data.read(after, limit));
  }

  watch(onCommitted: (events: readonly StoredEvent[]) => void): () => void {
    const stop = this.#data.watch(onCommitted);
    this.#remember(stop);
    return stop;
  }

  refresh(): Promise<{ readonly trimmedThrough: number; readonly head: number }> {
    return this.#way.go(() => this.#data.refresh());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#queue;
  }
}

/** Every method of a port goes the way. */
function delayed<Port extends object>(port: Port, way: Way): Port {
  return new Proxy(port, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => way.go(async () => Reflect.apply(value, target, given) as unknown);
    },
  });
}

function never<Result>(): Promise<Result> {
  return new Promise(() => undefined);
}

function badWeather(): StarcastError {
  return new StarcastError("store_failed", "Expected the engine to answer, got bad weather");
}

function closed(): StarcastError {
  return new StarcastError("log_closed", "Expected an open log, got one that was closed");
}
