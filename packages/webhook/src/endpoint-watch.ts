import { isStarcastError, type AnyBroker } from "@starcast/core";
import type { EndpointRecords } from "./endpoint-records.ts";
import type { DisabledReason, EndpointRecord, LiveEndpoint } from "./endpoint.ts";
import type { Outcome } from "./outcome.ts";

export interface EndpointWatchOptions {
  readonly broker: AnyBroker;
  readonly records: EndpointRecords;
  readonly disableAfterDays: number;
  readonly onDisabled: (endpointId: string, reason: DisabledReason) => void;
}

/** Short failures are not written down: a flapping endpoint must not cost a write per attempt. */
export const unrecordedMs = 3_600_000;

const dayMs = 86_400_000;

/** Turns endpoints off that say they are gone, or that have done nothing but fail for days. */
export class EndpointWatch {
  readonly #options: EndpointWatchOptions;
  /** Since when nothing but failures, of endpoints that fail now; what lasts is in their records. */
  readonly #failingSince = new Map<string, number>();
  readonly #writing = new Map<string, Promise<void>>();

  constructor(options: EndpointWatchOptions) {
    this.#options = options;
  }

  /** What an attempt says of its endpoint. */
  saw(endpoint: LiveEndpoint, outcome: Outcome): void {
    const { id, failingSince } = endpoint.record;
    const now = this.#options.broker.surroundings.clock.now();
    if (outcome.kind === "endpoint_gone" || (outcome.kind === "succeeded" && outcome.disables))
      return this.#disable(id, "gone", now);
    if (outcome.kind !== "retry") {
      this.#failingSince.delete(id);
      if (failingSince !== null) this.#write(id, { failingSince: null });
      return;
    }
    const since = failingSince ?? this.#failingSince.get(id) ?? now;
    this.#failingSince.set(id, since);
    if (now - since >= this.#options.disableAfterDays * dayMs) this.#disable(id, "failing", now);
    else if (failingSince === null && now - since >= unrecordedMs) this.#write(id, { failingSince: since });
  }

  /** The endpoint was changed or removed. */
  forget(id: string): void {
    this.#failingSince.delete(id);
  }

  /** Resolves when what it writes is written. */
  async idle(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  #disable(id: string, reason: DisabledReason, at: number): void {
    const { broker, onDisabled } = this.#options;
    this.#write(id, { state: { kind: "disabled", at, reason, position: broker.position } }, () => {
      this.#failingSince.delete(id);
      broker.observe({ kind: "webhookEndpointDisabled", level: "warn", endpointId: id, reason });
      onDisabled(id, reason);
    });
  }

  // One write per endpoint at a time: attempts that end meanwhile would say the same. Only turning it off waits its turn.
  #write(id: string, change: Partial<EndpointRecord>, then?: () => void): void {
    const { broker } = this.#options;
    const before = this.#writing.get(id);
    if (before !== undefined && change.state === undefined) return;
    const written: Promise<void> = this.#update(id, change, before)
      .then(
        (hasChanged) => {
          if (hasChanged) then?.();
        },
        (error: unknown) => {
          // One that was removed meanwhile needs nothing written; anything else is said again by the next attempt.
          if (isStarcastError(error, "not_found")) return;
          broker.observe({ kind: "webhookStoreFailed", level: "warn", operation: "endpoint", error });
        },
      )
      .finally(() => {
        if (this.#writing.get(id) === written) this.#writing.delete(id);
      });
    this.#writing.set(id, written);
  }

  /** Resolves with false when the endpoint was turned off already. */
  async #update(id: string, change: Partial<EndpointRecord>, before: Promise<void> | undefined): Promise<boolean> {
    await before;
    let hasChanged = true;
    await this.#options.records.update(id, (known) => {
      hasChanged = change.state === undefined || known.state.kind !== "disabled";
      return hasChanged ? { ...known, ...change } : known;
    });
    return hasChanged;
  }
}
