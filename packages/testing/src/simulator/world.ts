import {
  Broker,
  MemoryStore,
  type Lease,
  type Moment,
  type Position,
  type StartingPoint,
  type Store,
} from "@starcast/core";
import { fakeSurroundings, type FakeSurroundings } from "../fake-surroundings.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { Actor, type Stage } from "./actor.ts";
import { FunctionActor } from "./function-actor.ts";
import { anyStart, expectedStart } from "./expected-start.ts";
import type { ExpectedStart } from "./judge.ts";
import { NamedLives } from "./named-lives.ts";
import { judgePublication } from "./judge-publication.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { SimulatedProcess, anyWeather, fair, type Weather } from "./process-store.ts";
import { tempers, type Temper } from "./temper.ts";
import { sieves, subjects, Truth, types, type Sieve } from "./truth.ts";

/** Most subscribers at once. */
const maxActors = 10;

/** A broker on an engine with small retention, who lives with it, and what goes wrong. */
export class World implements Stage {
  readonly surroundings: FakeSurroundings;
  readonly random: SeededRandom;
  readonly truth: Truth;
  readonly problems: string[] = [];
  readonly journal: string[] = [];
  readonly counts = { published: 0, refused: 0, lives: 0, restarts: 0 };
  readonly #data: Store;
  readonly #bug: PlantedBug | undefined;
  readonly #weather: Weather;
  readonly #brokerOptions: {
    readonly flushMs: number;
    readonly hotWindow: { readonly maxEvents: number };
    readonly leaseMs: number;
  };
  readonly #names: NamedLives;
  #process: SimulatedProcess;
  #broker: Broker;
  #actors: Actor[] = [];
  #functions: FunctionActor[] = [];
  #isStarted = false;
  #isReliable = true;
  #constructedAt = 0;

  constructor(seed: number, bug?: PlantedBug) {
    this.surroundings = fakeSurroundings(seed);
    this.random = this.surroundings.random.fork("world");
    const maxEvents = this.random.pick([4, 8, 16, 40, 200]);
    this.#data = new MemoryStore({
      retention: { maxEvents, maxBytes: 1_048_576 },
      dedupeWindowMs: 1_000,
      surroundings: this.surroundings,
    });
    this.truth = new Truth(this.#data.log);
    this.#bug = bug;
    this.#names = new NamedLives(this.truth, this.random);
    this.#weather = this.random.pick([fair, fair, anyWeather(this.random)]);
    this.#brokerOptions = {
      flushMs: this.random.pick([0, 0, 10]),
      hotWindow: { maxEvents: this.random.pick([2, 8, 1_000]) },
      leaseMs: 3_000,
    };
    if (this.#weather.failing > 0 || this.#weather.torn > 0) this.#isReliable = false;
    this.note(`retention ${maxEvents}, ${JSON.stringify({ ...this.#weather, ...this.#brokerOptions })}`);
    this.#process = this.#boot();
    this.#broker = this.#build();
  }

  get actors(): readonly Actor[] {
    return this.#actors;
  }

  readonly report = (problem: string): void => {
    // The first says it all; the rest follows from it.
    if (this.problems.length < 20) this.problems.push(problem);
  };

  note(action: string): void {
    this.journal.push(`${String(this.truth.trimmedThrough)}..${this.truth.head} ${action}`);
  }

  readonly nextTurn = (run: () => void): void => this.#process.surroundings.scheduler.nextTurn(run);

  readonly after = (ms: number, run: () => void): void => void this.#process.surroundings.scheduler.after(ms, run);

  publish(): void {
    const type = this.random.pick(types);
    const data = { number: this.random.integer(1, 1_000_000) };
    const dedupeKey = this.random.chance(0.1) ? `key${this.random.integer(1, 3)}` : undefined;
    judgePublication(
      this,
      [{ type, data }],
      this.#broker.publishAny(type, data, { subject: this.random.pick(subjects), dedupeKey }).then((event) => [event]),
    );
  }

  publishAll(): void {
    const publications = Array.from({ length: this.random.integer(2, 6) }, () => ({
      type: this.random.pick(types),
      data: { number: this.random.next() },
    }));
    judgePublication(this, publications, this.#broker.publishAll(publications));
  }

  /** A newcomer of any temper, from anywhere; or the holder of a name. */
  subscribe(): void {
    if (this.#actors.filter(({ isAlive }) => isAlive).length >= maxActors) return;
    if (this.random.chance(0.25)) return this.#subscribeNamed();
    if (this.random.chance(0.2)) return this.#subscribeFunction();
    const maxReplayEvents = this.random.chance(0.2) ? this.random.integer(0, 10) : Infinity;
    const from = anyStart(this.truth, this.random);
    this.#add(
      this.random.pick(tempers),
      this.random.pick(sieves),
      from,
      this.#expected(from, maxReplayEvents),
      maxReplayEvents,
    );
    this.#isStarted ||= from === undefined;
  }

  /** Ends the process in one moment, or in peace; another continues on the same data, and who was there comes back. */
  async restart(): Promise<void> {
    const isCrash = this.random.chance(0.5);
    this.note(isCrash ? "crash" : "restart");
    this.counts.restarts += 1;
    const before = this.#actors.filter(({ isAlive }) => isAlive);
    if (!isCrash) await this.close();
    this.#process.kill();
    for (const actor of this.#actors) this.#names.remember(actor, !isCrash && this.#isReliable);
    this.#actors = [];
    this.#functions = [];
    // What the dead process still held ends by time.
    await this.surroundings.advance(this.#brokerOptions.leaseMs + 1);
    this.#process = this.#boot();
    this.#broker = this.#build();
    for (const { name, judge, sieve } of before) {
      const cursor = judge.cursor;
      if (name !== undefined || cursor === null || this.random.chance(0.3)) continue;
      const from = { epoch: this.truth.epoch, offset: cursor };
      this.#add(this.random.pick(tempers), sieve, from, this.#expected(from, Infinity), Infinity);
    }
  }

  /** The process sleeps longer than its leases last; another takes its names over, and is there when it wakes. */
  async oversleep(): Promise<void> {
    const { checkpoints } = this.#data;
    const { leaseMs } = this.#brokerOptions;
    // Acknowledged under a lease that was lost is acknowledged to nobody.
    this.#isReliable = false;
    this.#process.sleep();
    await this.surroundings.advance(leaseMs + 1);
    const taken: { readonly lease: Lease; readonly position: Position | null }[] = [];
    for (const name of this.#names.names) {
      const lease = await checkpoints.acquire(name, leaseMs * 2);
      if (lease !== null) taken.push({ lease, position: await checkpoints.load(name) });
    }
    this.#process.wake();
    for (const actor of this.#actors) if (actor.name !== undefined) actor.acknowledge();
    this.publish();
    await this.surroundings.advance(leaseMs);
    for (const { lease, position } of taken) {
      const now = await checkpoints.load(lease.name);
      if (now?.offset !== position?.offset)
        this.report(
          `${lease.name}: a holder that was taken over moved the position from ${position?.offset} to ${now?.offset}`,
        );
      await checkpoints.release(lease);
    }
  }

  /** Closes the broker; time passes until it is done. */
  async close(): Promise<void> {
    for (const actor of [...this.#actors, ...this.#functions])
      if (actor.isAlive) actor.judge.mustClose("broker_closed");
    const closed = { isDone: false };
    void this.#broker.close().then(
      () => (closed.isDone = true),
      (error: unknown) => this.report(`close rejected: ${String(error)}`),
    );
    for (let second = 0; second < 120 && !closed.isDone; second += 1) await this.surroundings.advance(1_000);
    if (!closed.isDone) this.report("the broker did not close within two minutes");
    for (const { label, judge } of this.#actors)
      if (!judge.isClosed) this.report(`${label}: was not closed with the broker`);
  }

  /** Everybody takes everything now: after this every life can be judged to its end. */
  async calmDown(): Promise<void> {
    for (let round = 0; round < 5; round += 1) {
      for (const actor of this.#actors) actor.calmDown();
      await this.surroundings.advance(5_000);
    }
    for (const { judge } of [...this.#actors, ...this.#functions]) judge.finished();
  }

  #boot(): SimulatedProcess {
    return new SimulatedProcess(
      this.#data,
      this.surroundings,
      this.#weather,
      this.random.fork(`weather${this.counts.restarts}`),
    );
  }

  #build(): Broker {
    this.#isStarted = false;
    this.#constructedAt = this.truth.head;
    const { store, surroundings } = this.#process;
    return new Broker({
      ...this.#brokerOptions,
      store: this.#bug?.store?.(store, this.random.fork("bug")) ?? store,
      surroundings,
      drain: { spreadMs: 1_000, deadlineMs: 2_000 },
      observe: [(moment) => this.#observe(moment)],
    });
  }

  #add(
    temper: Temper,
    sieve: Sieve,
    from: StartingPoint | undefined,
    start: ExpectedStart,
    maxReplayEvents: number,
    name?: string,
  ): void {
    this.counts.lives += 1;
    const label = name ?? `#${this.counts.lives}`;
    const actor = new Actor({
      label,
      stage: this,
      temper,
      sieve,
      start,
      name,
      random: this.random.fork(`actor${this.counts.lives}`),
    });
    this.note(`subscribe ${actor.label} from ${JSON.stringify(from)}`);
    const { types: typePatterns, subjects: subjectPatterns } = sieve;
    const subscriber = this.#bug?.subscriber?.(actor, this.random.fork(`bug${this.counts.lives}`)) ?? actor;
    actor.subscription = this.#broker.attach(subscriber, {
      types: typePatterns,
      subjects: subjectPatterns,
      from,
      maxReplayEvents,
      name,
    });
    for (const gone of this.#actors) if (!gone.isAlive) this.#names.remember(gone, false);
    this.#actors = [...this.#actors.filter((each) => each.isAlive), actor];
  }

  #subscribeFunction(): void {
    if (this.#functions.length >= maxActors) return;
    this.counts.lives += 1;
    const from = this.random.pick([undefined, "latest", "earliest", "unreadable"] as const);
    const sieve = this.random.pick(sieves);
    const start = this.#expected(from, Infinity);
    const label = `#${this.counts.lives}`;
    const actor = new FunctionActor({ label, stage: this, sieve, start, random: this.random.fork(`actor${label}`) });
    this.note(`subscribe ${actor.label} from ${from}`);
    const { types: typePatterns, subjects: subjectPatterns } = sieve;
    const { send, close, onGap } = actor;
    actor.subscription = this.#broker.subscribe(
      { send, close },
      { types: typePatterns, subjects: subjectPatterns, from, onGap },
    );
    this.#functions.push(actor);
    this.#isStarted ||= from === undefined;
  }

  #subscribeNamed(): void {
    const name = this.random.pick(["first", "second"]);
    if (this.#actors.some((actor) => actor.name === name && actor.isAlive)) return;
    for (const gone of this.#actors) if (gone.name === name) this.#names.remember(gone, false);
    const { temper, sieve, start } = this.#names.next(name);
    this.#add(temper, sieve, undefined, start, Infinity, name);
  }

  #expected(from: StartingPoint | undefined, maxReplayEvents: number): ExpectedStart {
    const first = { epoch: this.truth.epoch, offset: this.#constructedAt };
    return expectedStart(from ?? (this.#isStarted ? "latest" : first), this.truth, maxReplayEvents);
  }

  #observe(moment: Moment): void {
    if (moment.kind === "observerFailed") this.report("an observer failed");
  }
}
