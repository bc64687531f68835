import type { AnyBroker } from "@starcast/core";
import { Rounds } from "./rounds.ts";

const everyMs = 60_000;

/** Deliveries forgotten in one call of the store. */
const maxForgotten = 1_000;

/** Forgets deliveries that ended long ago, a few at a time, now and then. */
export class Forgetter {
  readonly #broker: AnyBroker;
  readonly #keepMs: number;
  readonly #rounds: Rounds;

  constructor(broker: AnyBroker, keepMs: number) {
    this.#broker = broker;
    this.#keepMs = keepMs;
    this.#rounds = new Rounds(broker.surroundings.scheduler, everyMs, () => this.#forget());
  }

  start(): void {
    if (this.#keepMs !== Infinity) this.#rounds.start();
  }

  /** Resolves when the store is asked no more. */
  close(): Promise<void> {
    return this.#rounds.close();
  }

  async #forget(): Promise<void> {
    const { store, surroundings } = this.#broker;
    try {
      const endedBefore = surroundings.clock.now() - this.#keepMs;
      for (let forgotten = maxForgotten; forgotten === maxForgotten && !this.#rounds.isClosed;) {
        forgotten = await store.deliveries.forget(endedBefore, maxForgotten);
      }
    } catch (error) {
      this.#broker.observe({ kind: "webhookStoreFailed", level: "warn", operation: "forget", error });
    }
  }
}
