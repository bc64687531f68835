import { isStarcastError, LogEvent, type AnyBroker, type DeliveryDraft, type Position } from "@starcast/core";
import { deliveredEventOf, draftOf, gapEventOf } from "./delivery.ts";
import type { EndpointRecords } from "./endpoint-records.ts";
import type { EndpointRecord, LiveEndpoint } from "./endpoint.ts";
import { insist } from "./insist.ts";

export interface CatchUpsOptions {
  readonly broker: AnyBroker;
  readonly records: EndpointRecords;
  /** Ends what is being caught up; it begins anew after the restart. */
  readonly signal: AbortSignal;
  readonly onStored: () => void;
}

/** Gives endpoints that were turned on again what they missed: one run per endpoint, until it has succeeded. */
export class CatchUps {
  readonly #options: CatchUpsOptions;
  readonly #running = new Map<string, Promise<void>>();

  constructor(options: CatchUpsOptions) {
    this.#options = options;
  }

  /** Does nothing for an endpoint that missed nothing, or is not active. */
  begin({ record }: LiveEndpoint): void {
    const { id } = record;
    const { broker, signal } = this.#options;
    if (!isWaiting(record) || this.#running.has(id) || signal.aborted) return;
    const done = insist(() => this.#run(id), {
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

  async #run(id: string): Promise<void> {
    const { broker, records, signal, onStored } = this.#options;
    for (let now = records.find(id); now !== undefined && !signal.aborted; now = records.find(id)) {
      const { revision, record } = now;
      if (!isWaiting(record)) return;
      await catchUp({ broker, records, endpoint: now, after: record.catchUp.after, signal });
      onStored();
      if (signal.aborted) return;
      // Kept in the record until now, so that a crash does not end it. Changed meanwhile, it may have been turned off and
      // on again, and have missed more.
      await records
        .update(id, (known, current) => (current === revision ? { ...known, catchUp: null } : known))
        .catch((error: unknown) => {
          if (!isStarcastError(error, "not_found")) throw error;
        });
    }
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    await Promise.all(this.#running.values());
  }
}

type Waiting = EndpointRecord & { readonly catchUp: NonNullable<EndpointRecord["catchUp"]> };

function isWaiting(record: EndpointRecord): record is Waiting {
  return record.catchUp !== null && record.state.kind === "active";
}

export interface CatchUp {
  readonly broker: AnyBroker;
  /** It ends when the endpoint is removed. */
  readonly records: EndpointRecords;
  readonly endpoint: LiveEndpoint;
  readonly after: Position;
  readonly signal?: AbortSignal | undefined;
}

/** Events read from the log at a time. */
const pageLimit = { maxEvents: 500, maxBytes: 4_194_304 };

/**
 * Stores deliveries of the log's past, after a place, for one endpoint: what it missed. Those it had are not stored again;
 * what the log no longer has is told by a gap. Resolves with how many were new.
 */
export async function catchUp({ broker, records, endpoint, after, signal }: CatchUp): Promise<number> {
  const { log, deliveries } = broker.store;
  const now = broker.surroundings.clock.now();
  const isOver = (): boolean => signal?.aborted === true || records.find(endpoint.record.id) === undefined;
  const put = async (drafts: readonly DeliveryDraft[]): Promise<number> => {
    if (drafts.length === 0 || isOver()) return 0;
    const { stored, overflowed } = await deliveries.put(drafts);
    if (overflowed > 0) broker.observe({ kind: "webhookOverflowed", level: "warn", count: overflowed });
    return stored;
  };
  // As far as whoever takes the log in may have come, in this process or another, without knowing that it is turned on.
  const { head: end } = await log.refresh();
  let stored = 0;
  let offset = after.offset;
  // A place of another epoch cannot be continued from: everything of this one is new, what was between is lost.
  const isLost = after.epoch !== log.epoch;
  if (isLost || offset < log.trimmedThrough) {
    offset = log.trimmedThrough;
    const gap = { after, through: { epoch: log.epoch, offset }, reason: isLost ? "epoch" : "trimmed" } as const;
    stored += await put([draftOf(endpoint, gapEventOf(gap, now), now)]);
  }
  while (offset < end && !isOver()) {
    const page = await log.read(offset, pageLimit);
    const [first] = page;
    const last = page.at(-1);
    if (first === undefined || last === undefined) break;
    const drafts = page
      .filter((event) => event.offset <= end)
      .map((event) => LogEvent.from(log.epoch, event))
      .filter((event) => endpoint.filter.matches(event))
      .map((event) => draftOf(endpoint, deliveredEventOf(event), now));
    if (first.offset > offset + 1) {
      const gap = {
        after: { epoch: log.epoch, offset },
        through: { epoch: log.epoch, offset: first.offset - 1 },
        reason: "trimmed",
      } as const;
      stored += await put([draftOf(endpoint, gapEventOf(gap, now), now)]);
    }
    stored += await put(drafts);
    offset = last.offset;
  }
  return stored;
}
