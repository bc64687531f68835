import { isStarcastError, type AnyBroker, type Position } from "@starcast/core";
import { catchUp } from "./catch-up.ts";
import type { EndpointRecords } from "./endpoint-records.ts";
import type { EndpointRecord, LiveEndpoint } from "./endpoint.ts";
import { insist } from "./insist.ts";

export interface CatchUpsOptions {
  readonly broker: AnyBroker;
  readonly records: EndpointRecords;
  /** Ends what is being caught up; it begins anew after the restart. */
  readonly signal: AbortSignal;
  readonly onStored: () => void;
  /** Runs it while no event of the log is being stored by whoever takes the log in. */
  readonly between: (run: () => Promise<void>) => Promise<void>;
}

/** Endpoints that catch up at once, each with a page of the log in memory; the others wait. */
export const maxCatchUps = 4;

/**
 * Gives endpoints that were turned on again what they missed, then hands them over to whoever takes the log in, so that
 * they get all in order: one run per endpoint, until it has succeeded.
 */
export class CatchUps {
  readonly #options: CatchUpsOptions;
  readonly #running = new Map<string, Promise<void>>();
  #free = maxCatchUps;
  readonly #waiting: (() => void)[] = [];

  constructor(options: CatchUpsOptions) {
    this.#options = options;
  }

  /** Does nothing for an endpoint that missed nothing, or is turned off. */
  begin({ record }: LiveEndpoint): void {
    const { id } = record;
    const { broker, signal } = this.#options;
    if (!isWaiting(record) || this.#running.has(id) || signal.aborted) return;
    const done = insist(() => this.#inTurn(() => this.#run(id)), {
      scheduler: broker.surroundings.scheduler,
      signal,
      onFailed: (error) => broker.observe({ kind: "webhookStoreFailed", level: "warn", operation: "catch up", error }),
    });
    this.#running.set(
      id,
      done.then(() => {
        this.#running.delete(id);
        // Turned off and on again just as it ended.
        const now = this.#options.records.find(id);
        if (now !== undefined) this.begin(now);
      }),
    );
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #inTurn(run: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await run();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  async #run(id: string): Promise<void> {
    const { records, signal, between } = this.#options;
    for (let now = records.find(id); now !== undefined && !signal.aborted; now = records.find(id)) {
      const endpoint = now;
      const { record, revision } = endpoint;
      if (!isWaiting(record)) return;
      const reached = await this.#through(endpoint, record.catchUp.after);
      await between(async () => {
        // What was published meanwhile: what comes now waits.
        await this.#through(endpoint, reached);
        if (!signal.aborted) await this.#handOver(id, revision);
      });
    }
  }

  async #through(endpoint: LiveEndpoint, after: Position): Promise<Position> {
    const { broker, records, signal, onStored } = this.#options;
    const { through } = await catchUp({ broker, records, endpoint, after, signal });
    onStored();
    return through;
  }

  // Kept in the record until now, so that a crash does not end it. Changed meanwhile, it may have been turned off and on
  // again, and have missed more.
  async #handOver(id: string, revision: number): Promise<void> {
    try {
      await this.#options.records.update(id, (known, current) =>
        current === revision ? { ...known, catchUp: null } : known,
      );
    } catch (error) {
      // Removed: there is nothing to hand over.
      if (!isStarcastError(error, "not_found")) throw error;
    }
  }
}

type Waiting = EndpointRecord & { readonly catchUp: NonNullable<EndpointRecord["catchUp"]> };

function isWaiting(record: EndpointRecord): record is Waiting {
  return record.catchUp !== null && record.state.kind !== "disabled";
}
