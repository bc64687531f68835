import type { AnyBroker } from "@starcast/core";
import type { EndpointRecords } from "./endpoint-records.ts";
import { Rounds } from "./rounds.ts";

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
  readonly #rounds: Rounds;

  constructor(options: OtherProcessesOptions) {
    this.#options = options;
    this.#rounds = new Rounds(options.broker.surroundings.scheduler, everyMs, () => this.#look());
  }

  start(): void {
    if (this.#options.records.areShared) this.#rounds.start();
  }

  /** Resolves when the store is asked no more. */
  close(): Promise<void> {
    return this.#rounds.close();
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
