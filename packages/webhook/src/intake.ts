import {
  isStarcastError,
  type AnyBroker,
  type Batch,
  type CloseReason,
  type DeliveredEvent,
  type DeliveryDraft,
  type Gap,
  type Line,
  type LogEvent,
  type Position,
  type Subscriber,
} from "@starcast/core";
import { deliveredEventOf, draftOf, gapEventOf, isFor, isGapFor } from "./delivery.ts";
import type { EndpointRecords } from "./endpoint-records.ts";
import { insist } from "./insist.ts";

export interface IntakeOptions {
  readonly broker: AnyBroker;
  readonly endpoints: EndpointRecords;
  /** Wait before the first attempt. */
  readonly firstWaitMs: number;
  /** There is new work of these endpoints in the store. */
  readonly onStored: (endpointIds: Iterable<string>) => void;
}

/** Deliveries taken and not yet stored: beyond, the place in the log waits. */
export const maxUnstoredDrafts = 5_000;

interface Job {
  readonly line: Line;
  /** Asked when it is stored: until then endpoints may be put, changed or removed, here or by another process. */
  readonly drafts: () => readonly DeliveryDraft[];
  readonly count: number;
  readonly through: Position;
}

/**
 * The dispatcher as a subscriber: every event becomes one delivery per matching endpoint, stored together with the
 * place behind it. What may wait to be stored is bounded, so a slow store costs its place in the log, not memory.
 */
export class Intake implements Subscriber {
  readonly #options: IntakeOptions;
  #jobs: Job[] = [];
  #unstored = 0;
  #line: Line | null = null;
  #isLoaded = false;
  /** What runs while nothing is being stored; the first may be under way. */
  readonly #between: (() => Promise<void>)[] = [];
  #working: Promise<void> | null = null;
  readonly #closing = new AbortController();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Nothing taken waits to be stored, or for what runs between. */
  get isIdle(): boolean {
    return this.#jobs.length === 0 && this.#unstored === 0 && this.#between.length === 0;
  }

  open(line: Line): void {
    this.#line = line;
    // What an earlier line offered is offered again.
    for (const { count } of this.#jobs.splice(0)) this.#unstored -= count;
    // Another process may have changed endpoints while it held the lease.
    this.#isLoaded = false;
    this.#work();
  }

  deliver(batch: Batch): number {
    const line = this.#line;
    if (!this.#isLoaded || line === null) return 0;
    const { endpoints, broker, firstWaitMs } = this.#options;
    const dueAt = broker.surroundings.clock.now() + firstWaitMs;
    let taken = 0;
    const drafts: DeliveryDraft[] = [];
    for (const event of batch.events) {
      if (this.#unstored + drafts.length >= maxUnstoredDrafts) break;
      taken += 1;
      this.#match(event, dueAt, drafts);
    }
    if (taken === 0 && batch.events.length > 0) return 0;
    const last = batch.events[taken - 1];
    const through =
      taken === batch.events.length || last === undefined ? batch.through : { epoch: last.epoch, offset: last.offset };
    // Nothing to store and nothing before it: acknowledged at once, unless another process may have put an endpoint.
    if (drafts.length === 0 && this.isIdle && !endpoints.areShared) line.acknowledge(through);
    else {
      const events = batch.events.slice(0, taken);
      const asOf = endpoints.changes;
      const asTheyAreNow = (): readonly DeliveryDraft[] => {
        if (endpoints.changes === asOf) return drafts;
        const found: DeliveryDraft[] = [];
        for (const event of events) this.#match(event, dueAt, found);
        return found;
      };
      this.#add({ line, drafts: asTheyAreNow, count: Math.max(drafts.length, 1), through });
    }
    return taken;
  }

  gap(gap: Gap): void {
    if (this.#line === null) return;
    const { endpoints, broker } = this.#options;
    const now = broker.surroundings.clock.now();
    const event = gapEventOf(gap, now);
    const drafts = (): readonly DeliveryDraft[] =>
      endpoints.wanting.filter((endpoint) => isGapFor(endpoint, gap)).map((endpoint) => draftOf(endpoint, event, now));
    this.#add({ line: this.#line, drafts, count: 1, through: gap.through });
  }

  /** Runs it while nothing is being stored, and before what comes now; resolves, or rejects, as it does. */
  between(run: () => Promise<void>): Promise<void> {
    if (this.#closing.signal.aborted) return run();
    return new Promise((resolve, reject) => {
      this.#between.push(() => run().then(resolve, reject));
      this.#work();
    });
  }

  async close(_: CloseReason): Promise<void> {
    this.#closing.abort();
    await this.#working;
    for (const run of this.#between.splice(0)) await run();
  }

  /** Adds what endpoints get of an event, as they are known now. */
  #match(event: LogEvent, dueAt: number, drafts: DeliveryDraft[]): void {
    let delivered: DeliveredEvent | null = null;
    for (const endpoint of this.#options.endpoints.wanting) {
      if (!isFor(endpoint, event)) continue;
      delivered ??= deliveredEventOf(event);
      drafts.push(draftOf(endpoint, delivered, dueAt));
    }
  }

  #add(job: Job): void {
    this.#jobs.push(job);
    this.#unstored += job.count;
    this.#work();
  }

  #work(): void {
    this.#working ??= this.#run().finally(() => {
      this.#working = null;
      // What came while the last jobs were being ended.
      if (this.#hasWork && !this.#closing.signal.aborted) this.#work();
    });
  }

  get #hasWork(): boolean {
    return this.#jobs.length > 0 || this.#between.length > 0 || !this.#isLoaded;
  }

  async #run(): Promise<void> {
    while (this.#hasWork) {
      if (!this.#isLoaded) {
        const line = this.#line;
        if (!(await this.#insist("load", () => this.#options.endpoints.reload()))) return;
        // Opened again meanwhile, they are read again.
        this.#isLoaded = line === this.#line;
        continue;
      }
      // One at a time: however many there are, events are stored between them.
      await this.#runBetween();
      if (!this.#isLoaded || this.#jobs.length === 0) continue;
      // Everything that waits is stored at once: a durable engine commits it together.
      const jobs = this.#jobs;
      this.#jobs = [];
      const count = jobs.reduce((sum, job) => sum + job.count, 0);
      // Not stored only when closed: then it is not acknowledged, and is offered again.
      if (!(await this.#insist("put", () => this.#store(jobs)))) return;
      this.#unstored -= count;
    }
    this.#line?.ready();
  }

  async #runBetween(): Promise<void> {
    const [run] = this.#between;
    if (run === undefined) return;
    await run();
    this.#between.shift();
  }

  /** Deliveries, and the place behind their events, in one step where the engine can: neither is ever without the other. */
  async #store(jobs: readonly Job[]): Promise<void> {
    const last = jobs.at(-1);
    if (last === undefined) return;
    const { line, through } = last;
    const { broker, endpoints, onStored } = this.#options;
    // Another process may have put, changed or removed an endpoint: what is published after is stored by what it is now.
    await endpoints.refresh();
    const drafts = jobs.flatMap((job) => job.drafts());
    if (drafts.length === 0) return line.acknowledge(through);
    const { lease } = line;
    // Another process has the place, or this line is dead: whoever goes on from the place is offered these again.
    if (lease === null) return;
    try {
      const { overflowed } = await broker.store.deliveries.put(drafts, { lease, position: through });
      if (overflowed > 0) broker.observe({ kind: "webhookOverflowed", level: "warn", count: overflowed });
    } catch (error) {
      if (isStarcastError(error, "lease_lost")) return;
      throw error;
    }
    line.acknowledge(through, "saved");
    onStored(drafts.map(({ endpointId }) => endpointId));
  }

  #insist(operation: string, run: () => Promise<void>): Promise<boolean> {
    const { broker } = this.#options;
    return insist(run, {
      scheduler: broker.surroundings.scheduler,
      signal: this.#closing.signal,
      onFailed: (error) => broker.observe({ kind: "webhookStoreFailed", level: "warn", operation, error }),
    });
  }
}
