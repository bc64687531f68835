import type { Batch, CloseReason, Event, Gap, Line, Position } from "@starcast/core";
import type { ExpectedStart } from "./expected-start.ts";
import type { Sieve } from "./sieve.ts";
import { isSameEvent, type Truth } from "./truth.ts";

export interface JudgeOptions {
  readonly label: string;
  readonly truth: Truth;
  readonly sieve: Sieve;
  /** Asked when it begins: for a named one each time it has taken the lease. */
  readonly start: () => ExpectedStart;
  /** One that always takes everything must never be told a gap once it has reached the head. */
  readonly isHealthy: boolean;
  /** The lease it lives by, of a named one: after it was lost, another begins where the position was saved. */
  readonly lease?: (() => number) | undefined;
  /** Acknowledged: all after the first offset, through the second. */
  readonly onDone?: ((after: number, through: number) => void) | undefined;
  readonly trace: (what: string) => void;
  readonly report: (problem: string) => void;
}

/**
 * Judges one subscriber's life: every matching event once, in order, or inside an exact gap; nothing twice, nothing after
 * the end. Keeps its own cursor, from what the subscriber was told only.
 */
export class Judge {
  readonly #options: JudgeOptions;
  #sieve: Sieve;
  #startGap: ExpectedStart["gap"] = null;
  #cursor: number | null = null;
  #start = 0;
  #lease: number | undefined;
  #acknowledged: number | null = null;
  #handedOver = -1;
  #doneThrough = 0;
  #owedGap: ExpectedStart["gap"] = null;
  #isRewound = false;
  #isWaiting = false;
  #hasThrown = false;
  readonly #expectedCloses: Set<CloseReason> = new Set();
  #isClosed = false;
  #wasAtHead = false;

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#sieve = options.sieve;
  }

  get isOpened(): boolean {
    return this.#cursor !== null;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Up to where everything was taken, told as a gap, or left out. */
  get cursor(): number | null {
    return this.#cursor;
  }

  get acknowledged(): number | null {
    return this.#acknowledged;
  }

  opened({ start }: Line): void {
    this.#notAfterEnd("opened");
    if (this.#cursor === null || this.#options.lease?.() !== this.#lease) this.#begin(start);
    else if (this.#isRewound) this.#cursor = this.#acknowledged ?? this.#start;
    else this.#problem("opened again without a rewind");
    this.#isRewound = false;
    this.#isWaiting = false;
    this.#handedOver = this.#acknowledged ?? -1;
    this.#owedGap = this.#acknowledged === null ? this.#startGap : null;
    this.#trace(`opened at ${this.#cursor}`);
  }

  /** A function is never told where it starts. */
  begins(): void {
    const { min, isResumed, gap } = this.#options.start();
    this.#begin({ position: { epoch: this.#options.truth.epoch, offset: min }, isResumed: isResumed === true });
    this.#owedGap = gap;
  }

  /** One event, by itself. */
  heard(event: Event): void {
    this.#notAfterEnd(`got ${event.id}`);
    if (this.#owedGap !== null) this.#problem("got an event before the gap at its start");
    this.#trace(`got ${event.id}`);
    this.#took(event);
  }

  /** A batch, of which the subscriber takes `taken`; `isReadyAgain` when it said `ready` meanwhile. */
  offered(batch: Batch, taken: number, isReadyAgain: boolean): void {
    this.#notAfterEnd("offered a batch");
    this.#trace(
      `takes ${taken} of ${batch.events.length} from ${batch.events[0]?.id}, after ${batch.after.offset} through ${batch.through.offset}`,
    );
    if (this.#isWaiting) this.#problem(`offered offset ${batch.events[0]?.offset} while waiting`);
    if (this.#owedGap !== null) this.#problem("offered events before the gap at its start");
    if (batch.events.length === 0) this.#problem("offered an empty batch");
    if (batch.after.epoch !== this.#options.truth.epoch) this.#problem(`offered a batch of epoch ${batch.after.epoch}`);
    this.#passOver(batch.after.offset, "the beginning of a batch");
    for (const event of batch.events.slice(0, taken)) this.#took(event);
    const last = batch.events.at(-1)?.offset ?? 0;
    if (batch.through.offset < last)
      this.#problem(`batch ends at ${batch.through.offset}, before its last event ${last}`);
    if (taken === batch.events.length) this.#passOver(batch.through.offset, "the end of a batch");
    else this.#isWaiting = !isReadyAgain;
  }

  told(gap: Gap): void {
    this.#notAfterEnd("told a gap");
    this.#trace(`told gap ${gap.after?.epoch}-${gap.after?.offset} through ${gap.through.offset}: ${gap.reason}`);
    const { truth, isHealthy } = this.#options;
    const owed = this.#owedGap;
    if (gap.through.epoch !== truth.epoch) this.#problem(`gap ends in epoch ${gap.through.epoch}`);
    if (owed !== null) {
      this.#owedGap = null;
      if (gap.reason !== owed.reason) this.#problem(`first gap is \`${gap.reason}\`, expected \`${owed.reason}\``);
      if (gap.after?.offset !== owed.after?.offset || gap.after?.epoch !== owed.after?.epoch)
        this.#problem("first gap begins elsewhere than asked for");
      if (gap.through.offset !== this.#start)
        this.#problem(`first gap ends at ${gap.through.offset}, the line starts at ${this.#start}`);
    } else {
      if (isHealthy && this.#wasAtHead) this.#problem(`gap through ${gap.through.offset} although it takes everything`);
      if (gap.reason !== "trimmed") this.#problem(`gap \`${gap.reason}\` in the middle of a life`);
      if (gap.after === null || gap.after.epoch !== truth.epoch)
        this.#problem("gap in the middle of a life begins nowhere");
      else this.#passOver(gap.after.offset, "the beginning of a gap");
      if (gap.through.offset <= (gap.after?.offset ?? -1)) this.#problem(`gap of nothing at ${gap.through.offset}`);
      if (gap.through.offset > truth.trimmedThrough)
        this.#problem(`gap through ${gap.through.offset}, but the log retains from ${truth.trimmedThrough + 1}`);
    }
    this.#cursor = gap.through.offset;
    this.#handedOver = Math.max(this.#handedOver, gap.through.offset);
  }

  acknowledges(through: number): void {
    const offset = Math.min(through, this.#handedOver);
    if (offset <= (this.#acknowledged ?? -1)) return;
    this.#trace(`acknowledges ${offset}`);
    this.#options.onDone?.(this.#doneThrough, offset);
    this.#doneThrough = Math.max(this.#doneThrough, offset);
    this.#acknowledged = offset;
  }

  rewinds(): void {
    this.#wasAtHead = false;
    this.#isRewound = true;
    this.#isWaiting = false;
  }

  becomesReady(): void {
    this.#isWaiting = false;
  }

  changesFilter(sieve: Sieve, position: Position, asked: Position | undefined): void {
    const { truth } = this.#options;
    // A place that is none is not gone to: the returned position says where the cursor stayed.
    const after = asked !== undefined && asked.epoch === truth.epoch && asked.offset <= truth.head ? asked : undefined;
    if (this.#cursor !== null) {
      if (after === undefined) this.#passOver(position.offset, "a change of filter");
      else if (position.offset !== after.offset)
        this.#problem(`filter changed at ${position.offset}, asked for ${after.offset}`);
      this.#cursor = position.offset;
      this.#wasAtHead = false;
      // A position speaks only for the filter it was gained under.
      if (after !== undefined && position.offset < (this.#acknowledged ?? -1)) {
        this.#acknowledged = position.offset;
        this.#handedOver = position.offset;
      }
    }
    this.#sieve = sieve;
  }

  /** It throws now: its end must follow. */
  throws(): void {
    this.#hasThrown = true;
    this.mustClose("subscriber_failed");
  }

  get expectedClose(): CloseReason {
    return [...this.#expectedCloses][0] ?? "unsubscribed";
  }

  mustClose(reason: CloseReason): void {
    this.#expectedCloses.add(reason);
  }

  closed(reason: CloseReason): void {
    this.#notAfterEnd("closed");
    this.#trace(`closed as ${reason}`);
    this.#isClosed = true;
    const expected = [...this.#expectedCloses].join(" or ");
    if (!this.#expectedCloses.has(reason)) this.#problem(`closed as \`${reason}\`, expected \`${expected}\``);
  }

  /** Everybody is ready and nothing moves any more: what must have come has come. */
  finished(): void {
    if (this.#isClosed || this.#hasThrown) return;
    if (this.#cursor === null) this.#problem("never opened");
    else this.#passOver(this.#options.truth.head, "the end");
    if (this.#owedGap !== null) this.#problem("was never told the gap at its start");
  }

  #begin(by: Line["start"]): void {
    const { position, isResumed } = by;
    const { start, truth } = this.#options;
    const expected = start();
    if (position.epoch !== truth.epoch) this.#problem(`starts in epoch ${position.epoch}, it is ${truth.epoch}`);
    if (position.offset < expected.min || position.offset > expected.max) {
      this.#problem(`starts after ${position.offset}, expected ${expected.min} to ${expected.max}`);
    }
    if (expected.isResumed !== "maybe" && isResumed !== expected.isResumed)
      this.#problem(`start says isResumed ${isResumed}, expected ${expected.isResumed}`);
    // Retention has passed the place that was saved.
    const isPassed = expected.isResumed === "maybe" && position.offset > expected.low;
    const trimmed = { reason: "trimmed", after: { epoch: truth.epoch, offset: expected.low } } as const;
    this.#startGap = isPassed ? trimmed : expected.gap;
    this.#doneThrough = expected.low;
    this.#lease = this.#options.lease?.();
    this.#start = position.offset;
    this.#cursor = position.offset;
    this.#acknowledged = this.#startGap === null ? position.offset : null;
    this.#wasAtHead = false;
  }

  #took(event: Event): void {
    const { truth } = this.#options;
    const cursor = this.#cursor ?? 0;
    const offset = Number(event.id.slice(event.id.lastIndexOf("-") + 1));
    const real = truth.at(offset);
    if (event.id !== `${truth.epoch}-${offset}`) this.#problem(`got id ${event.id} of another place`);
    if (offset <= cursor) this.#problem(`got offset ${offset} again, or out of order, after ${cursor}`);
    if (real === undefined) this.#problem(`got offset ${offset}, which was never committed`);
    else if (!isSameEvent(real, { ...event, subject: event.subject, json: JSON.stringify(event.data) }))
      this.#problem(`got other content under offset ${offset}: ${JSON.stringify(event.data)}, it is ${real.json}`);
    if (!this.#sieve.matches({ type: event.type, subject: event.subject }))
      this.#problem(`got offset ${offset}, which its filter leaves out`);
    this.#passOver(offset - 1, `offset ${offset}`);
    this.#cursor = Math.max(cursor, offset);
    this.#handedOver = Math.max(this.#handedOver, offset);
  }

  /** Goes to `through`: nothing that matches may lie between. */
  #passOver(through: number, to: string): void {
    const cursor = this.#cursor ?? 0;
    const missed = this.#options.truth.firstMatch(cursor, through, this.#sieve);
    if (missed !== undefined) this.#problem(`never got offset ${missed.offset}: was at ${cursor}, then came ${to}`);
    if (through > cursor) this.#cursor = through;
    if (through === this.#options.truth.head) this.#wasAtHead = true;
  }

  #notAfterEnd(what: string): void {
    if (this.#isClosed) this.#problem(`${what} after it was closed`);
  }

  #trace(what: string): void {
    this.#options.trace(`${this.#options.label} ${what}`);
  }

  #problem(problem: string): void {
    this.#options.report(`${this.#options.label}: ${problem}`);
  }
}
