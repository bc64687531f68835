import type { AnyBroker, Timer } from "@starcast/core";
import type { EndpointRecords } from "./endpoint-records.ts";

/** What another process put, paused or left to be tried is seen this late at most. */
const everyMs = 1_000;

export interface OtherProcessesOptions {
  readonly broker: AnyBroker;
  readonly records: EndpointRecords;
  /** There may be deliveries that another process stored, or died over. */
  readonly onMayBeDue: () => void;
}

/** Looks now and then at what other processes did, where the store is one that they share. */
export class OtherProcesses {
  readonly #options: OtherProcessesOptions;
  #timer: Timer | null = null;
  #looking: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: OtherProcessesOptions) {
    this.#options = options;
  }

  start(): void {
    const { broker, records } = this.#options;
    if (this.#isClosed || !records.areShared) return;
    this.#timer = broker.surroundings.scheduler.after(everyMs, () => {
      this.#looking = this.#look().finally(() => this.start());
    });
  }

  /** Resolves when the store is asked no more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { broker, records, onMayBeDue } = this.#options;
    try {
      await records.refresh();
    } catch (error) {
      broker.observe({ kind: "webhookStoreFailed", level: "warn", operation: "look", error });
    }
    onMayBeDue();
  }
}
