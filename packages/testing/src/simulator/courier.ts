import {
  StarcastError,
  type Batch,
  type CloseReason,
  type DeliveredEvent,
  type DeliveryDraft,
  type DeliveryStore,
  type Gap,
  type Line,
  type Subscriber,
  type Subscription,
} from "@starcast/core";
import type { SeededRandom } from "../seeded-random.ts";
import { deliveriesOf, type Endpoint } from "./endpoints.ts";
import { judgeOfHolder } from "./judge-of-holder.ts";
import type { Judge } from "./judge.ts";
import type { NamedLife } from "./named-life.ts";
import type { Inhabitant, Stage } from "./stage.ts";

interface Job {
  readonly line: Line;
  readonly drafts: readonly DeliveryDraft[];
  /** A gap is done when its notice is stored. */
  readonly gapAfter: number | null;
  readonly through: number;
}

export interface CourierOptions {
  readonly stage: Stage;
  readonly life: NamedLife;
  readonly endpoints: readonly Endpoint[];
  readonly deliveries: DeliveryStore;
  readonly now: () => number;
  readonly random: SeededRandom;
}

/** Stores deliveries as the webhook dispatcher does: stored first, acknowledged after; the end may come in between. */
export class Courier implements Subscriber, Inhabitant {
  readonly label: string;
  readonly life: NamedLife;
  readonly judge: Judge;
  subscription: Subscription | null = null;
  readonly #options: CourierOptions;
  readonly #maxUnstored: number;
  #line: Line | null = null;
  #jobs: Job[] = [];
  #unstored = 0;
  #working: Promise<void> | null = null;
  #isClosing = false;

  constructor(options: CourierOptions) {
    const { stage, life, random } = options;
    this.label = life.name;
    this.life = life;
    this.#options = options;
    this.#maxUnstored = random.pick([1, 5, 50]);
    this.judge = judgeOfHolder(stage, life);
  }

  get isAlive(): boolean {
    return !this.judge.isClosed && this.subscription?.isClosed === false;
  }

  open(line: Line): void {
    this.judge.opened(line);
    this.#line = line;
  }

  deliver(batch: Batch): number {
    const { endpoints, now } = this.#options;
    const line = this.#line;
    const taken = Math.min(Math.max(this.#maxUnstored - this.#unstored, 0), batch.events.length);
    this.judge.offered(batch, taken, false);
    if (line === null) return taken;
    for (const event of batch.events.slice(0, taken)) {
      const { id, type, subject, timestamp, json, offset } = event;
      const delivered: DeliveredEvent = { id, type, subject, timestamp, json };
      this.#add({ line, drafts: deliveriesOf(endpoints, event, delivered, now()), gapAfter: null, through: offset });
    }
    return taken;
  }

  gap(gap: Gap): void {
    this.judge.told(gap);
    if (this.#line === null) return;
    const { endpoints, now } = this.#options;
    const { after, through, reason } = gap;
    const id = `gap-${through.epoch}-${after?.offset ?? 0}-${through.offset}`;
    const event = {
      id,
      type: "client.gap",
      subject: undefined,
      timestamp: new Date(now()).toISOString(),
      json: `"${reason}"`,
    };
    const drafts = endpoints.map(({ id: endpointId }) => ({ endpointId, event, dueAt: now(), orderKey: undefined }));
    const gapAfter = after?.epoch === through.epoch ? after.offset : 0;
    this.#add({ line: this.#line, drafts, gapAfter, through: through.offset });
  }

  async close(reason: CloseReason): Promise<void> {
    this.judge.closed(reason);
    this.#isClosing = true;
    await this.#working;
  }

  calmDown(): void {
    this.#ready();
  }

  #add(job: Job): void {
    this.#jobs.push(job);
    this.#unstored += 1;
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    while (this.#jobs.length > 0) {
      const jobs = this.#jobs;
      this.#jobs = [];
      if (!(await this.#store(jobs.flatMap(({ drafts }) => drafts)))) break;
      this.#stored(jobs);
    }
    // In this very moment, with no turn in between: what is added from now on needs another round.
    this.#working = null;
    this.#ready();
  }

  #stored(jobs: readonly Job[]): void {
    this.#options.stage.trace(`${this.label} has stored through ${jobs.at(-1)?.through}`);
    for (const { line, gapAfter, through } of jobs) {
      this.#unstored -= 1;
      if (gapAfter !== null) this.life.done(gapAfter, through);
      if (line !== this.#line) continue;
      this.judge.acknowledges(through);
      line.acknowledge({ epoch: this.#options.stage.truth.epoch, offset: through });
    }
  }

  /** Until it succeeds; false when it ends before. */
  async #store(drafts: readonly DeliveryDraft[]): Promise<boolean> {
    const { stage, deliveries } = this.#options;
    while (!this.#isClosing) {
      try {
        await deliveries.put(drafts);
        return true;
      } catch (error) {
        if (!(error instanceof StarcastError)) stage.report(`${this.label}: put rejected with ${String(error)}`);
        await new Promise<void>((resolve) => stage.after(100, resolve));
      }
    }
    return false;
  }

  #ready(): void {
    if (this.#line === null || !this.isAlive) return;
    this.judge.becomesReady();
    this.#line.ready();
  }
}
