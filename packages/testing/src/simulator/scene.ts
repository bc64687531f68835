import type { FakeSurroundings } from "../fake-surroundings.ts";
import type { SeededRandom } from "../seeded-random.ts";
import type { DeliveryAuditor } from "./delivery-auditor.ts";
import type { Endpoint } from "./endpoints.ts";
import type { PlantedBug } from "./planted-bug.ts";
import type { Truth } from "./truth.ts";

/** What happened in a world, counted: one in which nothing happens keeps every promise, too. */
export interface Counts {
  published: number;
  refused: number;
  lives: number;
  restarts: number;
  crashes: number;
  epochs: number;
  deliveries: number;
}

/** What outlives the processes of a world. */
export interface Scene {
  readonly surroundings: FakeSurroundings;
  readonly random: SeededRandom;
  readonly truth: Truth;
  readonly deliveries: DeliveryAuditor;
  readonly endpoints: readonly Endpoint[];
  readonly counts: Counts;
  readonly bug: PlantedBug | undefined;
  readonly brokerOptions: {
    readonly flushMs: number;
    readonly hotWindow: { readonly maxEvents: number };
    readonly leaseMs: number;
  };
  note(what: string): void;
  report(problem: string): void;
  /** Lets time pass until this has settled, and reports it if it does not, or rejects. */
  wait(promise: Promise<unknown>, what: string): Promise<void>;
}
