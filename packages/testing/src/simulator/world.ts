import type { Position, Store } from "@starcast/core";
import { fakeSurroundings, type FakeSurroundings } from "../fake-surroundings.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { DeliveryAuditor } from "./delivery-auditor.ts";
import { diskEngine } from "./disk/disk-engine.ts";
import { anyEndpoints, type Endpoint } from "./endpoints.ts";
import { remoteEngine, type Crash, type EngineMaker, type SimulatedEngine } from "./engine.ts";
import { Host } from "./host.ts";
import { LeaseAuditor } from "./lease-auditor.ts";
import { NamedLife, type NamedKind } from "./named-life.ts";
import type { PlantedBug } from "./planted-bug.ts";
import type { Counts, Scene } from "./scene.ts";
import { sieves, type Sieve } from "./sieve.ts";
import { SimulatedProcess, anyWeather, fair, type Weather } from "./simulated-process.ts";
import type { Inhabitant } from "./stage.ts";
import { namedTempers } from "./temper.ts";
import { Truth } from "./truth.ts";

/** Most of what went wrong that is kept: the first says it all, the rest follows from it. */
const maxProblems = 20;
const leaseMs = 3_000;
const kinds: Readonly<Record<string, NamedKind>> = {
  first: "subscriber",
  second: "subscriber",
  window: "window",
  courier: "courier",
};

export interface WorldOptions {
  readonly seed: number;
  readonly bug: PlantedBug | undefined;
  /** @default one of those simulated here */
  readonly engine: EngineMaker | undefined;
}

/** One or two processes on one engine, who lives in them, and what goes wrong. */
export class World implements Scene {
  readonly surroundings: FakeSurroundings;
  readonly random: SeededRandom;
  readonly truth: Truth;
  readonly deliveries: DeliveryAuditor;
  readonly endpoints: readonly Endpoint[];
  readonly problems: string[] = [];
  readonly journal: string[] = [];
  readonly counts: Counts = { published: 0, refused: 0, lives: 0, restarts: 0, crashes: 0, epochs: 0, deliveries: 0 };
  readonly bug: PlantedBug | undefined;
  readonly brokerOptions: Scene["brokerOptions"];
  readonly #engine: SimulatedEngine;
  readonly #weather: Weather;
  readonly #leases: LeaseAuditor;
  readonly #lives = new Map<string, NamedLife>();
  #hosts: Host[] = [];
  #boots = 0;
  /** What is acknowledged is certainly kept when all end in peace. */
  #isReliable: boolean;

  constructor({ seed, bug, engine }: WorldOptions) {
    this.surroundings = fakeSurroundings(seed);
    this.random = this.surroundings.random.fork("world");
    this.bug = bug;
    const maxEvents = this.random.pick([4, 8, 16, 40, 200]);
    const make = engine ?? this.random.pick([remoteEngine, diskEngine]);
    const made = make({
      retention: { maxEvents, maxBytes: 1_048_576 },
      dedupeWindowMs: 1_000,
      maxPerEndpoint: this.random.pick([3, 1_000]),
      surroundings: this.surroundings,
      random: this.random.fork("engine"),
    });
    this.#engine = bug?.engine?.(made) ?? made;
    this.truth = new Truth(this.report);
    this.#leases = new LeaseAuditor(this.#lives, this.report);
    const { clock } = this.surroundings;
    this.deliveries = new DeliveryAuditor({ leases: this.#leases, report: this.report, now: () => clock.now() });
    this.endpoints = anyEndpoints(this.random);
    this.#weather = this.random.pick([fair, fair, anyWeather(this.random)]);
    this.brokerOptions = {
      flushMs: this.random.pick([0, 0, 10]),
      hotWindow: { maxEvents: this.random.pick([2, 8, 1_000]) },
      leaseMs,
    };
    this.#isReliable = this.#engine.isReliable && this.#weather.failing === 0 && this.#weather.torn === 0;
    this.note(
      `${this.#engine.name}, retention ${maxEvents}, ${JSON.stringify({ ...this.#weather, ...this.brokerOptions })}`,
    );
  }

  get hosts(): readonly Host[] {
    return this.#hosts;
  }

  /** Several processes on one engine. */
  get canShare(): boolean {
    return this.#engine.isShared;
  }

  readonly report = (problem: string): void => {
    if (this.problems.length >= maxProblems) return;
    this.problems.push(problem);
    this.note(`PROBLEM ${problem}`);
  };

  readonly note = (what: string): void => {
    const { clock } = this.surroundings;
    const { trimmedThrough, head } = this.truth;
    this.journal.push(`${clock.now() - startedAt} ${trimmedThrough}..${head} ${what}`);
  };

  /** The durable subscription of a name: the same over all its holders. */
  life(name: string): NamedLife {
    const known = this.#lives.get(name);
    if (known !== undefined) return known;
    const kind = kinds[name] ?? "subscriber";
    const { truth, deliveries, endpoints } = this;
    const isStored = (offset: number): boolean => {
      const event = truth.at(offset);
      const id = `${truth.epoch}-${offset}`;
      return (
        event !== undefined && endpoints.every((each) => !each.sieve.matches(event) || deliveries.isStored(each.id, id))
      );
    };
    const life = new NamedLife({
      name,
      kind,
      truth,
      // The courier takes everything: its endpoints choose.
      sieve: kind === "courier" ? everything : this.random.pick(sieves),
      temper: this.random.pick(namedTempers),
      isStored: kind === "courier" ? isStored : undefined,
    });
    this.#lives.set(name, life);
    return life;
  }

  /** Begins a process. */
  async boot(mayBeginAnew = false): Promise<Host> {
    this.#boots += 1;
    const process = new SimulatedProcess(this.surroundings);
    const data = await this.#engine.open(process.surroundings);
    const { epoch } = this.truth;
    await this.truth.begin(data.log, mayBeginAnew);
    if (this.#hosts.length === 0) {
      const isNewEpoch = this.truth.epoch !== epoch;
      if (isNewEpoch) this.counts.epochs += 1;
      await this.deliveries.rebooted(data.deliveries, isNewEpoch);
      await this.#leases.rebooted(data.checkpoints, isNewEpoch);
    }
    const leases = new Map<string, number>();
    const watched: Store = {
      log: data.log,
      checkpoints: this.#leases.watch(data.checkpoints, (lease) => leases.set(lease.name, lease.revision)),
      deliveries: this.deliveries.watch(data.deliveries),
      records: data.records,
      close: () => data.close(),
    };
    const store = process.connect(watched, this.#weather, this.random.fork(`weather${this.#boots}`));
    const host = new Host({ label: `p${this.#boots}`, scene: this, process, data, store, leases });
    this.note(`${host.label} begins in epoch ${this.truth.epoch}`);
    this.#hosts.push(host);
    return host;
  }

  /** Ends a process, in peace or in one moment; another continues on the same data, and who was there comes back. */
  async restart(host: Host, how: Crash | "peace"): Promise<void> {
    this.note(`${host.label} ends by ${how}`);
    this.counts.restarts += 1;
    const { epoch } = this.truth;
    const before = host.actors.filter(({ isAlive }) => isAlive);
    if (how === "peace") await this.#closeInPeace(host);
    host.process.kill();
    if (how !== "peace") {
      this.counts.crashes += 1;
      await this.#engine.crash(host.data, how);
    }
    this.#hosts = this.#hosts.filter((each) => each !== host);
    // What the dead process still held ends by time.
    if (this.random.chance(0.7)) await this.surroundings.advance(leaseMs + 1);
    const next = await this.boot(how === "power cut");
    for (const { life, judge, sieve } of before) {
      if (life !== undefined || judge.cursor === null || this.random.chance(0.3)) continue;
      next.resume(sieve, { epoch, offset: judge.cursor });
    }
  }

  /** A process sleeps longer than its leases last; another may take its names over, and is there when it wakes. */
  async oversleep(host: Host): Promise<void> {
    // Acknowledged under a lease that was lost is acknowledged to nobody.
    this.#isReliable = false;
    this.note(`${host.label} falls asleep`);
    host.process.sleep();
    await this.surroundings.advance(leaseMs + this.random.integer(1, leaseMs));
    this.note(`${host.label} wakes`);
    host.process.wake();
    for (const actor of host.actors) if (actor.life !== undefined) actor.acknowledge();
    host.publish();
  }

  /** Everybody takes everything now: after this every life can be judged to its end. */
  async calmDown(): Promise<void> {
    for (let round = 0; round < 5 || (round < 24 && this.#isBusy()); round += 1) {
      for (const host of this.#hosts) host.calmDown();
      await this.surroundings.advance(5_000);
    }
    for (const host of this.#hosts) host.finished();
    this.#judgeNames();
    const [host] = this.#hosts;
    if (host !== undefined) await this.deliveries.judge(host.data.deliveries);
    this.counts.deliveries = this.deliveries.stored;
  }

  async close(): Promise<void> {
    for (const host of this.#hosts) await this.#closeInPeace(host);
    await this.#engine.end();
  }

  readonly wait = async (promise: Promise<unknown>, what: string): Promise<void> => {
    const done = { is: false };
    promise.then(
      () => (done.is = true),
      (error: unknown) => {
        done.is = true;
        this.report(`${what} rejected: ${String(error)}`);
      },
    );
    for (let second = 0; second < 120 && !done.is; second += 1) await this.surroundings.advance(1_000);
    if (!done.is) this.report(`${what} did not end within two minutes`);
  };

  /** Somebody stores one delivery at a time on a slow engine, and has many to go. */
  #isBusy(): boolean {
    const { head } = this.truth;
    return [...this.#lives.values()].some(
      (life) => this.#holdersOf(life).length > 0 && life.firstUndone(head) !== undefined,
    );
  }

  #holdersOf(life: NamedLife): readonly Inhabitant[] {
    return this.#hosts.flatMap(({ inhabitants }) => inhabitants.filter((each) => each.life === life && each.isAlive));
  }

  /** Of those who want a name one holds it at the end, and has done everything up to the head. */
  #judgeNames(): void {
    for (const life of this.#lives.values()) {
      const holders = this.#holdersOf(life);
      if (holders.length === 0) continue;
      if (!holders.some(({ judge }) => judge.isOpened)) this.report(`${life.name}: nobody was ever opened`);
      if (holders.length === 1) holders[0]?.judge.finished();
      const undone = life.firstUndone(this.truth.head);
      if (undone !== undefined) this.report(`${life.name}: never had offset ${undone} acknowledged`);
    }
  }

  async #closeInPeace(host: Host): Promise<void> {
    await host.close();
    if (!this.#isReliable || !host.isDone || this.#hosts.length > 1) return;
    for (const { label, life, judge } of host.inhabitants) {
      const kept: Position | null | undefined = life?.saved;
      if (life === undefined || judge.acknowledged === null) continue;
      if ((kept?.offset ?? -1) < judge.acknowledged)
        this.report(`${label}: acknowledged ${judge.acknowledged}, ended in peace, and ${kept?.offset} is kept`);
    }
  }
}

const startedAt = Date.UTC(2026, 0, 1);
const everything: Sieve = { matches: () => true };
