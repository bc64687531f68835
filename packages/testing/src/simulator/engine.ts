import { MemoryStore, type Store, type Surroundings } from "@starcast/core";
import type { SeededRandom } from "../seeded-random.ts";

/** How a simulated life ends: with its process, or with the whole machine. */
export type Crash = "kill" | "power cut";

/** An engine as a simulation sees it: data that outlives processes, opened by one after the other, or by several at once. */
export interface SimulatedEngine {
  readonly name: string;
  /** Several processes may have it open at once. */
  readonly isShared: boolean;
  /** What can be done is done: it fails by no chance of its own. */
  readonly isReliable: boolean;
  /** A process begins on the data. Time and turns MUST be those of its surroundings: they end with it. */
  open(surroundings: Surroundings): Promise<Store>;
  /** The process that opened this ends in this very moment. MUST leave to the next what an engine of its durability leaves. */
  crash(store: Store, crash: Crash): Promise<void>;
  /** Gives back what it holds of the real machine. */
  end(): Promise<void>;
}

export interface EngineRequest {
  readonly retention: { readonly maxEvents: number; readonly maxBytes: number };
  readonly dedupeWindowMs: number;
  readonly maxPerEndpoint: number;
  /** Those of the world: they do not end. */
  readonly surroundings: Surroundings;
  readonly random: SeededRandom;
}

/** Makes the engine of one world; everything it does by chance comes from `random`. */
export type EngineMaker = (request: EngineRequest) => SimulatedEngine;

/** A machine elsewhere that never fails: what processes see of it is late and failing by the weather between them. */
export const remoteEngine: EngineMaker = (request) => {
  const { retention, dedupeWindowMs, maxPerEndpoint, surroundings } = request;
  const { log, checkpoints, deliveries, records } = new MemoryStore({
    retention,
    dedupeWindowMs,
    maxPerEndpoint,
    surroundings,
  });
  return {
    name: "remote",
    isShared: true,
    isReliable: true,
    // Closing one way to it closes no other.
    open: () => Promise.resolve({ log, checkpoints, deliveries, records, close: () => Promise.resolve() }),
    crash: () => Promise.resolve(),
    end: () => Promise.resolve(),
  };
};
