import type { Batch, CloseReason, Gap, Line, Position, Subscriber, Subscription } from "@starcast/core";
import type { SeededRandom } from "../seeded-random.ts";
import type { ExpectedStart } from "./expected-start.ts";
import { Judge } from "./judge.ts";
import type { NamedLife } from "./named-life.ts";
import { sieves, type Sieve } from "./sieve.ts";
import type { Inhabitant, Stage } from "./stage.ts";
import { isHealthy, takenOf, type Temper } from "./temper.ts";

export interface ActorOptions {
  readonly label: string;
  readonly stage: Stage;
  readonly temper: Temper;
  readonly sieve: Sieve;
  readonly start: () => ExpectedStart;
  /** The durable subscription it is a holder of. */
  readonly life: NamedLife | undefined;
  readonly random: SeededRandom;
}

/** A subscriber of some temper, and the judge of its life. */
export class Actor implements Subscriber, Inhabitant {
  readonly label: string;
  readonly life: NamedLife | undefined;
  readonly judge: Judge;
  sieve: Sieve;
  subscription: Subscription | null = null;
  readonly #stage: Stage;
  readonly #random: SeededRandom;
  readonly #lines: Line[] = [];
  #temper: Temper;
  #line: Line | null = null;
  #lastTaken: number | null = null;
  #isDelivering = false;
  #isReadyAgain = false;

  constructor({ label, stage, temper, sieve, start, life, random }: ActorOptions) {
    this.label = `${label} (${temper.name})`;
    this.life = life;
    this.sieve = sieve;
    this.#stage = stage;
    this.#temper = temper;
    this.#random = random;
    this.judge = new Judge({
      label: this.label,
      truth: stage.truth,
      sieve,
      start,
      isHealthy: isHealthy(temper),
      lease: life === undefined ? undefined : () => stage.leaseOf(life.name),
      onDone: life === undefined ? undefined : (after, through) => life.done(after, through),
      trace: (what) => stage.trace(what),
      report: (problem) => stage.report(problem),
    });
  }

  get isAlive(): boolean {
    return !this.judge.isClosed && this.subscription?.isClosed === false;
  }

  open(line: Line): void {
    this.judge.opened(line);
    this.#lines.push(line);
    this.#line = line;
    this.#perhapsThrow();
    this.#misbehave();
  }

  deliver(batch: Batch): number {
    this.#perhapsThrow();
    const taken = takenOf(batch.events.length, this.#temper, this.#random);
    this.#isDelivering = true;
    this.#isReadyAgain = false;
    if (taken < batch.events.length) this.#arrangeReady();
    this.judge.offered(batch, taken, this.#isReadyAgain);
    if (taken > 0) this.#lastTaken = batch.events[taken - 1]?.offset ?? null;
    this.#arrangeAcknowledging();
    this.#misbehave();
    this.#isDelivering = false;
    return taken;
  }

  gap(gap: Gap): void {
    this.judge.told(gap);
    this.#lastTaken = gap.through.offset;
    this.#perhapsThrow();
    this.#arrangeAcknowledging();
    this.#misbehave();
  }

  close(reason: CloseReason): void | Promise<void> {
    this.judge.closed(reason);
    if (!this.#random.chance(this.#temper.throwing)) return undefined;
    if (this.#random.chance(0.5)) throw new Error("Planned: throws in close");
    return Promise.reject(new Error("Planned: rejects in close"));
  }

  /** There is room, whatever its temper says. */
  wake(): void {
    this.#ready();
  }

  /** From now on it takes everything, so that its life can be judged to the end. */
  calmDown(): void {
    this.#temper = {
      ...this.#temper,
      refusing: 0,
      rewinding: 0,
      throwing: 0,
      publishing: 0,
      quitting: 0,
      pestering: 0,
      refiltering: 0,
      acknowledges: "at once",
    };
    this.acknowledge();
    this.#ready();
  }

  end(): void {
    this.judge.mustClose("unsubscribed");
    void this.subscription?.close();
  }

  rewind(): void {
    if (this.#line === null || !this.isAlive) return;
    this.judge.rewinds();
    const line = this.#line;
    this.#line = null;
    line.rewind();
  }

  refilter(sieve: Sieve, after?: Position): void {
    const { subscription } = this;
    if (subscription === null || !this.isAlive || this.#line === null || this.life !== undefined) return;
    const position = subscription.setFilter(sieve, after);
    this.judge.changesFilter(sieve, position, after);
    if (after !== undefined) this.#lastTaken = null;
    this.sieve = sieve;
  }

  acknowledge(through: number | null = this.#lastTaken): void {
    if (this.#line === null || through === null || !this.isAlive) return;
    this.judge.acknowledges(through);
    this.#line.acknowledge({ epoch: this.#stage.truth.epoch, offset: through });
  }

  /** Calls on dead lines, and on the live one without a reason: none may have an effect. */
  pester(): void {
    for (const line of this.#lines) {
      // The last line may still acknowledge while its subscription closes.
      if (line === this.#line) continue;
      line.ready();
      line.acknowledge({ epoch: this.#stage.truth.epoch, offset: this.#stage.truth.head });
      line.rewind();
    }
    this.#line?.acknowledge({ epoch: "elsewhere", offset: 1 });
  }

  #ready(): void {
    if (this.#line === null || !this.isAlive) return;
    this.#isReadyAgain = true;
    if (!this.#isDelivering) this.judge.becomesReady();
    this.#line.ready();
  }

  #arrangeReady(): void {
    const line = this.#line;
    const ready = (): void => {
      if (line === this.#line) this.#ready();
    };
    switch (this.#temper.readies) {
      case "at once":
        return ready();
      case "next turn":
        return this.#stage.nextTurn(ready);
      case "later":
        return this.#stage.after(this.#random.integer(1, 200), ready);
      case "when woken":
        return undefined;
    }
  }

  #arrangeAcknowledging(): void {
    const through = this.#lastTaken;
    const line = this.#line;
    if (through === null) return;
    if (this.#temper.acknowledges === "at once") this.acknowledge(through);
    else if (this.#temper.acknowledges === "later") {
      this.#stage.after(this.#random.integer(0, 100), () => {
        if (line === this.#line) this.acknowledge(through);
      });
    }
  }

  #perhapsThrow(): void {
    if (!this.#random.chance(this.#temper.throwing)) return;
    this.judge.throws();
    throw new Error("Planned: a subscriber throws");
  }

  #misbehave(): void {
    const { rewinding, publishing, quitting, pestering, refiltering } = this.#temper;
    if (this.#random.chance(publishing)) this.#stage.publish();
    if (this.#random.chance(pestering)) this.pester();
    // Not from inside `deliver`: where a filter changes is not known before it is known how many were taken.
    if (this.#random.chance(refiltering)) this.#stage.nextTurn(() => this.refilter(this.#random.pick(sieves)));
    if (this.#random.chance(rewinding)) this.rewind();
    if (this.#random.chance(quitting)) this.end();
  }
}
