import type { Position } from "@starcast/core";
import type { ExpectedStart } from "./expected-start.ts";
import type { Sieve } from "./sieve.ts";
import type { Temper } from "./temper.ts";
import type { Truth } from "./truth.ts";

/** What holds a name: a subscriber of some temper, a window of publications on their way, or what stores deliveries. */
export type NamedKind = "subscriber" | "window" | "courier";

/** A durable subscription over all its lives, as it is in truth: what its far side has, and what the engine has saved. */
export class NamedLife {
  readonly name: string;
  readonly kind: NamedKind;
  readonly sieve: Sieve;
  readonly temper: Temper;
  readonly #truth: Truth;
  readonly #isStored: (offset: number) => boolean;
  readonly #done = new Set<number>();
  /** Where its holders registered; the first to save decides. */
  readonly #registered = new Set<number>();
  #epoch: string;
  /** Nothing before concerns it. */
  #base: number | null = null;
  #saved: Position | null = null;

  constructor(facts: {
    readonly name: string;
    readonly kind: NamedKind;
    readonly sieve: Sieve;
    readonly temper: Temper;
    readonly truth: Truth;
    /** Where the engine itself shows what the far side has. */
    readonly isStored?: ((offset: number) => boolean) | undefined;
  }) {
    this.name = facts.name;
    this.kind = facts.kind;
    this.sieve = facts.sieve;
    this.temper = facts.temper;
    this.#truth = facts.truth;
    this.#isStored = facts.isStored ?? (() => false);
    this.#epoch = facts.truth.epoch;
  }

  /** What the engine has saved last. */
  get saved(): Position | null {
    return this.#saved;
  }

  /** Somebody subscribes by this name now. */
  registered(): void {
    this.#registered.add(this.#truth.head);
  }

  /** A process has begun, maybe on a log that had to begin anew. */
  rebooted(saved: Position | null): void {
    this.#saved = saved;
    if (this.#truth.epoch === this.#epoch) return;
    this.#epoch = this.#truth.epoch;
    this.#done.clear();
    this.#registered.clear();
    this.#base = saved === null ? null : 0;
  }

  /** The far side has these: taken, told as a gap, or stored. */
  done(after: number, through: number): void {
    for (let offset = after + 1; offset <= through; offset += 1) this.#done.add(offset);
  }

  isDone(offset: number): boolean {
    return this.#done.has(offset) || this.#isStored(offset);
  }

  /** The first event that its far side does not have, of those up to `through`; undefined when it has all. */
  firstUndone(through: number): number | undefined {
    if (this.#base === null) return undefined;
    return this.#truth.firstMatch(this.#base, through, this.sieve, (offset) => this.isDone(offset))?.offset;
  }

  /** Why this may not be saved; null when it may. */
  objectionTo({ epoch, offset }: Position): string | null {
    if (epoch !== this.#epoch) return `saved a position of epoch ${epoch}`;
    if (offset > this.#truth.head) return `saved offset ${offset}, past the head ${this.#truth.head}`;
    if (this.#base === null)
      return this.#registered.has(offset)
        ? null
        : `first saved at ${offset}, registered at ${[...this.#registered].join(" or ")}`;
    // A rewind may give up again what the filter left out, nothing else.
    const given =
      this.#saved?.epoch === epoch ? this.#truth.firstMatch(offset, this.#saved.offset, this.sieve) : undefined;
    if (given !== undefined)
      return `saved ${offset} after ${this.#saved?.offset}, giving up offset ${given.offset}, which was done`;
    const undone = this.firstUndone(offset);
    return undone === undefined ? null : `saved ${offset}, past offset ${undone}, which nobody has acknowledged`;
  }

  /** The engine has it now. */
  save(position: Position): void {
    this.#base ??= position.offset;
    this.#saved = position;
  }

  /** Where a holder of it must begin, which took its lease not long ago. */
  expectedStart(): ExpectedStart {
    const { saved } = this;
    const { epoch, trimmedThrough } = this.#truth;
    if (saved === null) return { min: 0, max: this.#truth.head, gap: null, isResumed: "maybe", low: 0 };
    if (saved.epoch !== epoch)
      return { min: 0, max: trimmedThrough, gap: { reason: "epoch", after: saved }, isResumed: false, low: 0 };
    const { offset } = saved;
    return { min: offset, max: Math.max(offset, trimmedThrough), gap: null, isResumed: "maybe", low: offset };
  }
}
