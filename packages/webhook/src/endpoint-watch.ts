import { isStarcastError, type AnyBroker, type Position } from "@starcast/core";
import type { EndpointRecords } from "./endpoint-records.ts";
import type { DisabledReason, EndpointRecord, LiveEndpoint } from "./endpoint.ts";
import type { Outcome } from "./outcome.ts";

export interface EndpointWatchOptions {
  readonly broker: AnyBroker;
  readonly records: EndpointRecords;
  readonly disableAfterDays: number;
  /** The subscription whose place tells which events have their deliveries. */
  readonly name: string;
  readonly onDisabled: (endpointId: string, reason: DisabledReason) => void;
}

/** Short failures are not written down: a flapping endpoint must not cost a write per attempt. */
export const unrecordedMs = 3_600_000;

const dayMs = 86_400_000;

/** Turns endpoints off that say they are gone, or that have done nothing but fail for days. */
export class EndpointWatch {
  readonly #options: EndpointWatchOptions;
  /** Since when nothing but failures, of endpoints that fail now; what lasts is in their records. */
  readonly #failing = new Map<string, { readonly url: string; readonly since: number }>();
  readonly #writing = new Map<string, Promise<void>>();

  constructor(options: EndpointWatchOptions) {
    this.#options = options;
  }

  /** What an attempt says of its endpoint: nothing, where that has been removed, turned off or moved since. */
  saw({ record }: LiveEndpoint, outcome: Outcome): void {
    const { id } = record;
    const current = this.#options.records.find(id)?.record;
    if (current === undefined || current.state.kind === "disabled" || current.url !== record.url) return;
    const { failingSince, url } = current;
    const now = this.#options.broker.surroundings.clock.now();
    if (outcome.kind === "endpoint_gone" || (outcome.kind === "succeeded" && outcome.disables))
      return this.#disable(id, "gone", now);
    if (outcome.kind !== "retry") {
      this.#failing.delete(id);
      if (failingSince !== null) this.#note(current, null);
      return;
    }
    // What began before a pause says nothing of what comes after it.
    if (current.state.kind === "paused") return;
    const known = this.#failing.get(id);
    const since = failingSince ?? (known?.url === url ? known.since : now);
    this.#failing.set(id, { url, since });
    if (now - since >= this.#options.disableAfterDays * dayMs) this.#disable(id, "failing", now);
    else if (failingSince === null && now - since >= unrecordedMs) this.#note(current, since);
  }

  /** The endpoint was removed, or is not called for the time being. */
  forget(id: string): void {
    this.#failing.delete(id);
  }

  /** Resolves when what it writes is written. */
  async idle(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  #disable(id: string, reason: DisabledReason, at: number): void {
    const { broker, records, name, onDisabled } = this.#options;
    this.#write(id, async () => {
      // From before it is turned off: what was taken in up to there has its deliveries, whatever is on its way now.
      const taken = await broker.store.checkpoints.load(name);
      let isNew = false;
      await records.update(id, (known) => {
        isNew = known.state.kind !== "disabled";
        if (!isNew) return known;
        const position = laterOf(taken, known.startsAfter, broker.position.epoch);
        return { ...known, state: { kind: "disabled", at, reason, position } };
      });
      // By an attempt that ended at the same time.
      if (!isNew) return;
      this.#failing.delete(id);
      broker.observe({ kind: "webhookEndpointDisabled", level: "warn", endpointId: id, reason });
      onDisabled(id, reason);
    });
  }

  // While something is being written, attempts that end would say the same.
  #note({ id, url }: EndpointRecord, failingSince: number | null): void {
    if (this.#writing.has(id)) return;
    this.#write(id, async () => {
      await this.#options.records.update(id, (known) => (known.url === url ? { ...known, failingSince } : known));
    });
  }

  /** One after the other for each endpoint. */
  #write(id: string, write: () => Promise<void>): void {
    const before = this.#writing.get(id) ?? Promise.resolve();
    const written: Promise<void> = before
      .then(write)
      .catch((error: unknown) => {
        // One that was removed meanwhile needs nothing written; anything else is said again by the next attempt.
        if (isStarcastError(error, "not_found")) return;
        this.#options.broker.observe({ kind: "webhookStoreFailed", level: "warn", operation: "endpoint", error });
      })
      .finally(() => {
        if (this.#writing.get(id) === written) this.#writing.delete(id);
      });
    this.#writing.set(id, written);
  }
}

/** The place in the log from which the endpoint may lack deliveries: what was taken in, but not from before it was put. */
function laterOf(taken: Position | null, startsAfter: Position, epoch: string): Position {
  if (taken === null) return startsAfter;
  const isBefore = taken.epoch === startsAfter.epoch ? taken.offset < startsAfter.offset : startsAfter.epoch === epoch;
  return isBefore ? startsAfter : taken;
}
