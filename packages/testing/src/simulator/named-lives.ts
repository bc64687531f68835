import type { SeededRandom } from "../seeded-random.ts";
import type { Actor } from "./actor.ts";
import type { ExpectedStart } from "./judge.ts";
import { namedTempers, type Temper } from "./temper.ts";
import { sieves, type Sieve, type Truth } from "./truth.ts";

/** What is known of a durable subscription over all its lives: as far as its holders could know. */
interface NamedLife {
  readonly sieve: Sieve;
  readonly temper: Temper;
  /** The first and the last place a next life may begin at. */
  min: number;
  max: number;
  /** Only then its first place was certainly kept. */
  wasOpened: boolean;
}

/** Durable subscriptions: one filter and temper per name, so that one life can be judged by the one before. */
export class NamedLives {
  readonly #truth: Truth;
  readonly #random: SeededRandom;
  readonly #lives = new Map<string, NamedLife>();

  constructor(truth: Truth, random: SeededRandom) {
    this.#truth = truth;
    this.#random = random;
  }

  get names(): readonly string[] {
    return [...this.#lives.keys()];
  }

  next(name: string): { readonly sieve: Sieve; readonly temper: Temper; readonly start: ExpectedStart } {
    const { head } = this.#truth;
    const life = this.#lives.get(name) ?? {
      sieve: this.#random.pick(sieves),
      temper: this.#random.pick(namedTempers),
      min: head,
      max: head,
      wasOpened: false,
    };
    this.#lives.set(name, life);
    const { min, sieve, temper } = life;
    const max = (): number => (life.wasOpened ? Math.max(life.max, this.#truth.trimmedThrough) : this.#truth.head);
    return { sieve, temper, start: { min, max, gap: null, isResumed: "maybe" } };
  }

  /** After a life: what was acknowledged is behind, if it ended in peace; nothing else may be. */
  remember({ name, judge }: Actor, isKept: boolean): void {
    const life = name === undefined ? undefined : this.#lives.get(name);
    if (life === undefined) return;
    life.wasOpened ||= judge.isOpened;
    if (judge.acknowledged === null) return;
    life.max = Math.max(life.max, judge.safePlace);
    if (isKept) life.min = Math.max(life.min, judge.acknowledged);
  }
}
