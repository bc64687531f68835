import type { Subscription } from "@starcast/core";
import type { Judge } from "./judge.ts";
import type { NamedLife } from "./named-life.ts";
import type { Truth } from "./truth.ts";

/** What those who live in a process can do: all of it ends with the process. */
export interface Stage {
  readonly truth: Truth;
  readonly nextTurn: (run: () => void) => void;
  readonly after: (ms: number, run: () => void) => void;
  publish(): void;
  /** The lease that this process has acquired last for a name; 0 before the first. */
  leaseOf(name: string): number;
  /** Everything that happens, for whoever reads a failing seed, and to compare two runs of one. */
  trace(what: string): void;
  report(problem: string): void;
}

/** A subscriber that lives in a process, and the judge of its life. */
export interface Inhabitant {
  readonly label: string;
  readonly judge: Judge;
  /** The durable subscription it is a holder of. */
  readonly life: NamedLife | undefined;
  subscription: Subscription | null;
  readonly isAlive: boolean;
  /** From now on it takes everything, so that its life can be judged to the end. */
  calmDown(): void;
}
