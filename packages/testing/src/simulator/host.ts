import { Broker, type Moment, type Position, type StartingPoint, type Store } from "@starcast/core";
import { Actor } from "./actor.ts";
import { Courier } from "./courier.ts";
import { anyStart, expectedStart, type ExpectedStart } from "./expected-start.ts";
import { FunctionActor } from "./function-actor.ts";
import { judgePublication } from "./judge-publication.ts";
import type { NamedLife } from "./named-life.ts";
import { Postman } from "./postman.ts";
import type { Scene } from "./scene.ts";
import { sieves, subjects, types, type Sieve } from "./sieve.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { Inhabitant, Stage } from "./stage.ts";
import { tempers, type Temper } from "./temper.ts";
import type { Truth } from "./truth.ts";
import { WindowActor } from "./window-actor.ts";

/** Most subscribers at once. */
const maxActors = 10;

export interface HostOptions {
  readonly label: string;
  readonly scene: Scene;
  readonly process: SimulatedProcess;
  /** What the engine gave when it was opened: data that outlives this process. */
  readonly data: Store;
  /** The same, as seen from the process. */
  readonly store: Store;
  /** The leases it has acquired last, by name. */
  readonly leases: ReadonlyMap<string, number>;
}

/** A process with a broker, and everybody who lives in it. */
export class Host implements Stage {
  readonly label: string;
  readonly process: SimulatedProcess;
  readonly data: Store;
  readonly truth: Truth;
  readonly broker: Broker;
  readonly #scene: Scene;
  readonly #store: Store;
  readonly #leases: ReadonlyMap<string, number>;
  readonly #postman: Postman;
  readonly #constructedAt: number;
  #actors: Actor[] = [];
  #others: Inhabitant[] = [];
  #functions: FunctionActor[] = [];
  #unsettled = 0;
  #isStarted = false;
  #isDone = false;

  constructor({ label, scene, process, data, store, leases }: HostOptions) {
    this.label = label;
    this.process = process;
    this.data = data;
    this.truth = scene.truth;
    this.#scene = scene;
    this.#leases = leases;
    this.#constructedAt = scene.truth.head;
    const random = scene.random.fork(`bug of ${label}`);
    this.#store = scene.bug?.store?.(store, random) ?? store;
    this.broker = new Broker({
      ...scene.brokerOptions,
      store: this.#store,
      surroundings: process.surroundings,
      drain: { spreadMs: 1_000, deadlineMs: 2_000 },
      observe: [(moment) => this.#observe(moment)],
    });
    this.#postman = new Postman({
      label: `postman of ${label}`,
      stage: this,
      deliveries: this.#store.deliveries,
      auditor: scene.deliveries,
      now: () => scene.surroundings.clock.now(),
      random: scene.random.fork(`postman of ${label}`),
    });
  }

  get actors(): readonly Actor[] {
    return this.#actors;
  }

  get windows(): readonly WindowActor[] {
    return this.#others.filter((each) => each instanceof WindowActor);
  }

  /** All but functions. */
  get inhabitants(): readonly Inhabitant[] {
    return [...this.#actors, ...this.#others];
  }

  /** Its broker has closed, and left nothing undone. */
  get isDone(): boolean {
    return this.#isDone;
  }

  readonly nextTurn = (run: () => void): void => this.process.surroundings.scheduler.nextTurn(run);

  readonly after = (ms: number, run: () => void): void => void this.process.surroundings.scheduler.after(ms, run);

  leaseOf(name: string): number {
    return this.#leases.get(name) ?? 0;
  }

  trace(what: string): void {
    this.#scene.note(what);
  }

  report(problem: string): void {
    this.#scene.report(problem);
  }

  publish(): void {
    const { random } = this.#scene;
    const type = random.pick(types);
    const data = { number: random.integer(1, 1_000_000) };
    const dedupeKey = random.chance(0.1) ? `key${random.integer(1, 3)}` : undefined;
    const published = this.broker.publishAny(type, data, { subject: random.pick(subjects), dedupeKey });
    this.#judge(
      [{ type, data }],
      published.then((event) => [event]),
    );
  }

  publishAll(): void {
    const { random } = this.#scene;
    const publications = Array.from({ length: random.integer(2, 6) }, () => ({
      type: random.pick(types),
      data: { number: random.next() },
    }));
    this.#judge(publications, this.broker.publishAll(publications));
  }

  /** A newcomer of any temper, from anywhere. */
  subscribe(): void {
    const { random } = this.#scene;
    if (this.#actors.filter(({ isAlive }) => isAlive).length >= maxActors) return;
    const maxReplayEvents = random.chance(0.2) ? random.integer(0, 10) : Infinity;
    const from = anyStart(this.truth, random);
    const start = this.#expected(from, maxReplayEvents);
    this.#add(random.pick(tempers), random.pick(sieves), from, start, maxReplayEvents);
    this.#isStarted ||= from === undefined;
  }

  subscribeFunction(): void {
    const { random, counts } = this.#scene;
    if (this.#functions.length >= maxActors) return;
    counts.lives += 1;
    const from = random.pick([undefined, "latest", "earliest", "unreadable"] as const);
    const sieve = random.pick(sieves);
    const label = `#${counts.lives}`;
    const start = this.#expected(from, Infinity);
    const actor = new FunctionActor({ label, stage: this, sieve, start, random: random.fork(`actor${label}`) });
    this.trace(`subscribe ${actor.label} from ${from}`);
    const { send, close, onGap } = actor;
    actor.subscription = this.broker.subscribe(
      { send, close },
      { types: sieve.types, subjects: sieve.subjects, from, onGap },
    );
    this.#functions.push(actor);
    this.#isStarted ||= from === undefined;
  }

  /** Resumes where somebody was who lost its process. */
  resume(sieve: Sieve, from: Position): void {
    this.#add(this.#scene.random.pick(tempers), sieve, from, this.#expected(from, Infinity), Infinity);
  }

  /** Another holder of a durable subscription, if this process has none. */
  subscribeNamed(life: NamedLife): void {
    const { random, counts, endpoints, surroundings } = this.#scene;
    if (this.inhabitants.some((each) => each.life === life && each.isAlive)) return;
    life.registered();
    if (life.kind === "subscriber") {
      this.#add(life.temper, life.sieve, undefined, () => life.expectedStart(), Infinity, life);
      return;
    }
    counts.lives += 1;
    const own = { stage: this, life, random: random.fork(`actor${counts.lives}`) };
    const now = (): number => surroundings.clock.now();
    const actor =
      life.kind === "window"
        ? new WindowActor(own)
        : new Courier({ ...own, endpoints, now, deliveries: this.#store.deliveries });
    this.#attach(actor, life.sieve, undefined, Infinity);
    this.#others = [...this.#others.filter((each) => each.isAlive), actor];
  }

  /** Closes the broker in peace; time passes until it is done. */
  async close(): Promise<void> {
    for (const { judge, isAlive } of [...this.inhabitants, ...this.#functions])
      if (isAlive) judge.mustClose("broker_closed");
    this.#postman.end();
    await this.#scene.wait(this.broker.close(), `${this.label}: close of the broker`);
    for (const { label, judge } of this.inhabitants)
      if (!judge.isClosed) this.report(`${label}: was not closed with the broker`);
  }

  calmDown(): void {
    for (const each of this.inhabitants) each.calmDown();
    this.#postman.calmDown();
  }

  /** Nothing moves any more. */
  finished(): void {
    // Holders of names are judged together: only one of them gets anything.
    for (const { judge } of [...this.#actors.filter(({ life }) => life === undefined), ...this.#functions])
      judge.finished();
    if (this.#unsettled > 0) this.report(`${this.label}: ${this.#unsettled} publications were never answered`);
  }

  #judge(
    wanted: readonly { readonly type: string; readonly data: unknown }[],
    published: Parameters<typeof judgePublication>[2],
  ): void {
    this.#unsettled += 1;
    const settled = (): void => void (this.#unsettled -= 1);
    published.then(settled, settled);
    judgePublication(this.#scene, wanted, published);
  }

  #add(
    temper: Temper,
    sieve: Sieve,
    from: StartingPoint | undefined,
    start: () => ExpectedStart,
    maxReplayEvents: number,
    life?: NamedLife,
  ): void {
    const { counts, random } = this.#scene;
    counts.lives += 1;
    const label = life?.name ?? `#${counts.lives}`;
    const own = random.fork(`actor${counts.lives}`);
    const actor = new Actor({ label, stage: this, temper, sieve, start, life, random: own });
    this.#attach(actor, sieve, from, maxReplayEvents);
    this.#actors = [...this.#actors.filter((each) => each.isAlive), actor];
  }

  #attach(
    actor: Actor | WindowActor | Courier,
    sieve: Sieve,
    from: StartingPoint | undefined,
    maxReplayEvents: number,
  ): void {
    const { bug, random, counts } = this.#scene;
    this.trace(`subscribe ${actor.label} at ${this.label} from ${JSON.stringify(from)}`);
    const subscriber = bug?.subscriber?.(actor, random.fork(`bug${counts.lives}`)) ?? actor;
    actor.subscription = this.broker.attach(subscriber, {
      types: sieve.types,
      subjects: sieve.subjects,
      from,
      maxReplayEvents,
      name: actor.life?.name,
    });
  }

  #expected(from: StartingPoint | undefined, maxReplayEvents: number): () => ExpectedStart {
    const first = { epoch: this.truth.epoch, offset: this.#constructedAt };
    return expectedStart(from ?? (this.#isStarted ? "latest" : first), this.truth, maxReplayEvents);
  }

  #observe(moment: Moment): void {
    if (moment.kind === "observerFailed") this.report("an observer failed");
    if (moment.kind === "drainCompleted") this.#isDone = moment.undone.length === 0;
  }
}
