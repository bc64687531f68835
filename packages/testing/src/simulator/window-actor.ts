import type { Batch, CloseReason, Gap, Line, Subscriber, Subscription } from "@starcast/core";
import type { SeededRandom } from "../seeded-random.ts";
import { judgeOfHolder } from "./judge-of-holder.ts";
import type { Judge } from "./judge.ts";
import type { NamedLife } from "./named-life.ts";
import type { Inhabitant, Stage } from "./stage.ts";

/** After so long without an answer the connection is given up. */
const answerTimeoutMs = 400;

/** What was taken together and is acknowledged together. */
interface InFlight {
  readonly after: number;
  readonly through: number;
  isAnswered: boolean;
}

/**
 * Publishes to a far side as the MQTT publisher does: at most so many unanswered, answers in any order, late or never,
 * acknowledged from the front; when the connection is lost, everything in flight is taken again.
 */
export class WindowActor implements Subscriber, Inhabitant {
  readonly label: string;
  readonly life: NamedLife;
  readonly judge: Judge;
  subscription: Subscription | null = null;
  readonly #stage: Stage;
  readonly #random: SeededRandom;
  readonly #limit: number;
  #losing: number;
  #line: Line | null = null;
  #inFlight: InFlight[] = [];
  /** Told while there was no connection to tell them on. */
  #gaps: Gap[] = [];
  /** Answers to another connection do not count. */
  #connection = 1;
  #isOnline = true;
  #isDelivering = false;
  #onEmpty: (() => void) | null = null;

  constructor(options: { readonly stage: Stage; readonly life: NamedLife; readonly random: SeededRandom }) {
    const { stage, life, random } = options;
    this.label = life.name;
    this.life = life;
    this.#stage = stage;
    this.#random = random;
    this.#limit = random.integer(1, 8);
    this.#losing = random.pick([0, 0.02, 0.1]);
    this.judge = judgeOfHolder(stage, life);
  }

  get isAlive(): boolean {
    return !this.judge.isClosed && this.subscription?.isClosed === false;
  }

  open(line: Line): void {
    this.judge.opened(line);
    this.#line = line;
    this.#gaps = [];
    // What an earlier line has in flight may still be answered, but must not be taken for this one's.
    this.#forget();
  }

  deliver(batch: Batch): number {
    const room = this.#isOnline ? this.#limit - this.#inFlight.length : 0;
    const taken = Math.min(Math.max(room, 0), batch.events.length);
    this.judge.offered(batch, taken, false);
    this.#isDelivering = true;
    for (const { offset } of batch.events.slice(0, taken)) this.#send(offset - 1, offset);
    this.#isDelivering = false;
    return taken;
  }

  gap(gap: Gap): void {
    this.judge.told(gap);
    if (this.#isOnline) this.#sendNotice(gap);
    else this.#gaps.push(gap);
  }

  /** What is in flight is still acknowledged, if that takes no longer than an answer may. */
  async close(reason: CloseReason): Promise<void> {
    this.judge.closed(reason);
    if (this.#inFlight.length > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
        this.#stage.after(answerTimeoutMs, resolve);
      });
    }
    this.#forget();
    this.#gaps = [];
  }

  /** The far side is gone for a while; what was in flight has to be taken again. */
  loseConnection(): void {
    if (!this.#isOnline || this.#line === null || !this.isAlive) return;
    this.#stage.trace(`${this.label} loses its connection with ${this.#inFlight.length} in flight`);
    const hadMore = this.#inFlight.length > 0;
    this.#isOnline = false;
    this.#forget();
    this.#stage.after(this.#random.integer(1, 300), () => this.#connect());
    if (!hadMore) return;
    const line = this.#line;
    this.#line = null;
    this.judge.rewinds();
    line.rewind();
  }

  calmDown(): void {
    this.#losing = 0;
    this.#ready();
  }

  #connect(): void {
    this.#isOnline = true;
    for (const gap of this.#gaps.splice(0)) this.#sendNotice(gap);
    this.#ready();
  }

  #sendNotice({ after, through }: Gap): void {
    this.#send(after?.epoch === through.epoch ? after.offset : 0, through.offset);
  }

  #send(after: number, through: number): void {
    const entry: InFlight = { after, through, isAnswered: false };
    const connection = this.#connection;
    this.#inFlight.push(entry);
    if (this.#random.chance(this.#losing)) {
      // Lost, or its answer is: nobody knows which.
      if (this.#random.chance(0.5)) this.life.done(after, through);
      this.#stage.after(answerTimeoutMs, () => {
        if (connection === this.#connection && !entry.isAnswered) this.loseConnection();
      });
      return;
    }
    const answer = (): void => {
      this.life.done(after, through);
      if (connection === this.#connection) this.#answered(entry);
    };
    this.#stage.after(this.#random.integer(0, 150), answer);
  }

  #answered(entry: InFlight): void {
    entry.isAnswered = true;
    let through: number | null = null;
    while (this.#inFlight[0]?.isAnswered === true) through = this.#inFlight.shift()?.through ?? through;
    if (through === null) return;
    this.judge.acknowledges(through);
    this.#line?.acknowledge({ epoch: this.#stage.truth.epoch, offset: through });
    if (this.#inFlight.length === 0) this.#onEmpty?.();
    this.#ready();
  }

  #ready(): void {
    if (this.#line === null || this.#isDelivering || !this.isAlive) return;
    this.judge.becomesReady();
    this.#line.ready();
  }

  #forget(): void {
    this.#connection += 1;
    this.#inFlight = [];
  }
}
