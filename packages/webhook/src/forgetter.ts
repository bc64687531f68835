import type { AnyBroker, Timer } from "@starcast/core";

const everyMs = 60_000;

/** Deliveries forgotten in one call of the store. */
const maxForgotten = 1_000;

/** Forgets deliveries that ended long ago, a few at a time, now and then. */
export class Forgetter {
  readonly #broker: AnyBroker;
  readonly #keepMs: number;
  #timer: Timer | null = null;
  #working: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(broker: AnyBroker, keepMs: number) {
    this.#broker = broker;
    this.#keepMs = keepMs;
  }

  start(): void {
    if (this.#isClosed || this.#keepMs === Infinity) return;
    this.#timer = this.#broker.surroundings.scheduler.after(everyMs, () => {
      this.#working = this.#forget().finally(() => this.start());
    });
  }

  /** Resolves when the store is asked no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#working;
  }

  async #forget(): Promise<void> {
    const { store, surroundings } = this.#broker;
    try {
      const endedBefore = surroundings.clock.now() - this.#keepMs;
      for (let forgotten = maxForgotten; forgotten === maxForgotten && !this.#isClosed;) {
        forgotten = await store.deliveries.forget(endedBefore, maxForgotten);
      }
    } catch (error) {
      this.#broker.observe({ kind: "webhookStoreFailed", level: "warn", operation: "forget", error });
    }
  }
}
