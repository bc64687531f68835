import type { AnyBroker, Batch, CloseReason, DeliveryDraft, Gap, Line, Position, Subscriber } from "@starcast/core";
import { deliveredEventOf, draftOf, gapEventOf, isFor, isGapFor } from "./delivery.ts";
import type { EndpointRecords } from "./endpoint-records.ts";
import { insist } from "./insist.ts";

export interface IntakeOptions {
  readonly broker: AnyBroker;
  readonly endpoints: EndpointRecords;
  /** Wait before the first attempt. */
  readonly firstWaitMs: number;
  /** There is new work in the store. */
  readonly onStored: () => void;
}

/** Deliveries stored at a time; one batch with a thousand endpoints is cut here. */
export const maxDraftsPerPut = 1_000;

interface Job {
  readonly line: Line;
  readonly drafts: readonly DeliveryDraft[];
  readonly through: Position;
}

/**
 * The dispatcher as a subscriber: every event becomes one delivery per matching endpoint, stored first, acknowledged
 * after. It takes no more while something is being stored, so a slow store costs its place in the log, not memory.
 */
export class Intake implements Subscriber {
  readonly #options: IntakeOptions;
  /** At most one batch, and the gaps told before it. */
  readonly #jobs: Job[] = [];
  #line: Line | null = null;
  #isLoaded = false;
  #working: Promise<void> | null = null;
  readonly #closing = new AbortController();

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Nothing taken waits to be stored. */
  get isIdle(): boolean {
    return this.#jobs.length === 0;
  }

  open(line: Line): void {
    this.#line = line;
    // Another process may have changed endpoints while it held the lease.
    this.#isLoaded = false;
    this.#work();
  }

  deliver(batch: Batch): number {
    const line = this.#line;
    if (!this.#isLoaded || line === null || this.#jobs.length > 0) return 0;
    const { endpoints, broker, firstWaitMs } = this.#options;
    const dueAt = broker.surroundings.clock.now() + firstWaitMs;
    const drafts: DeliveryDraft[] = [];
    let taken = 0;
    for (const event of batch.events) {
      if (drafts.length >= maxDraftsPerPut) break;
      taken += 1;
      for (const endpoint of endpoints.all) if (isFor(endpoint, event)) drafts.push(draftOf(endpoint, deliveredEventOf(event), dueAt));
    }
    const last = batch.events[taken - 1];
    const through = taken === batch.events.length || last === undefined ? batch.through : { epoch: last.epoch, offset: last.offset };
    this.#add({ line, drafts, through });
    return taken;
  }

  gap(gap: Gap): void {
    if (this.#line === null) return;
    const { endpoints, broker } = this.#options;
    const now = broker.surroundings.clock.now();
    const event = gapEventOf(gap, now);
    const told = [...endpoints.all].filter((endpoint) => isGapFor(endpoint, gap));
    this.#add({ line: this.#line, drafts: told.map((endpoint) => draftOf(endpoint, event, now)), through: gap.through });
  }

  async close(_: CloseReason): Promise<void> {
    this.#closing.abort();
    await this.#working;
  }

  #add(job: Job): void {
    // Nothing to store and nothing before it: acknowledged at once, and more may come within the same tick.
    if (job.drafts.length === 0 && this.#jobs.length === 0) return job.line.acknowledge(job.through);
    this.#jobs.push(job);
    this.#work();
  }

  #work(): void {
    this.#working ??= this.#run().finally(() => {
      this.#working = null;
      // What came while the last job was being ended.
      if (this.#jobs.length > 0 && !this.#closing.signal.aborted) this.#work();
    });
  }

  async #run(): Promise<void> {
    if (!this.#isLoaded) this.#isLoaded = await this.#insist("load", () => this.#options.endpoints.reload());
    if (this.#closing.signal.aborted) return;
    for (let job = this.#jobs[0]; job !== undefined; job = this.#jobs[0]) {
      const { drafts, line, through } = job;
      // Not stored only when closed: then it is not acknowledged, and is offered again.
      if (!(await this.#insist("put", () => this.#put(drafts)))) return;
      this.#jobs.shift();
      line.acknowledge(through);
    }
    this.#line?.ready();
  }

  async #put(drafts: readonly DeliveryDraft[]): Promise<void> {
    if (drafts.length === 0) return;
    const { broker, onStored } = this.#options;
    const { overflowed } = await broker.store.deliveries.put(drafts);
    if (overflowed > 0) broker.observe({ kind: "webhookOverflowed", level: "warn", count: overflowed });
    onStored();
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
