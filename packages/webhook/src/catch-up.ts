import { isStarcastError, LogEvent, type AnyBroker, type DeliveryDraft, type Gap, type Position } from "@starcast/core";
import { deliveredEventOf, draftOf, gapEventOf } from "./delivery.ts";
import type { EndpointRecords } from "./endpoint-records.ts";
import type { LiveEndpoint } from "./endpoint.ts";

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

/** What came of it. */
export interface CaughtUp {
  /** Deliveries that are new. */
  readonly stored: number;
  /** Up to here the endpoint has all, unless it was ended before. */
  readonly through: Position;
}

/**
 * Stores deliveries of the log's past, after a place, for one endpoint: what it missed. Those it had are not stored again;
 * what the log no longer has is told by a gap.
 */
export async function catchUp({ broker, records, endpoint, after, signal }: CatchUp): Promise<CaughtUp> {
  const { log, deliveries } = broker.store;
  const { epoch } = log;
  const now = broker.surroundings.clock.now();
  const isOver = (): boolean => signal?.aborted === true || records.find(endpoint.record.id) === undefined;
  let stored = 0;
  const put = async (drafts: readonly DeliveryDraft[]): Promise<void> => {
    if (drafts.length === 0 || isOver()) return;
    const done = await deliveries.put(drafts);
    stored += done.stored;
    if (done.overflowed > 0) broker.observe({ kind: "webhookOverflowed", level: "warn", count: done.overflowed });
  };
  const tellDamaged = (error: unknown): null => {
    if (!isStarcastError(error, "store_corrupt")) throw error;
    broker.observe({ kind: "webhookStoreFailed", level: "warn", operation: "catch up", error });
    return null;
  };
  const tellGap = (gap: Gap): Promise<void> => put([draftOf(endpoint, gapEventOf(gap, now), now)]);
  // As far as whoever takes the log in may have come, in this process or another, without knowing that it is turned on.
  const { head: end } = await log.refresh();
  let { offset } = after;
  // A place of another epoch cannot be continued from: everything of this one is new, what was between is lost.
  const isLost = after.epoch !== epoch;
  if (isLost || offset < log.trimmedThrough) {
    offset = log.trimmedThrough;
    await tellGap({ after, through: { epoch, offset }, reason: isLost ? "epoch" : "trimmed" });
  }
  // What cannot be read is passed over, one by one, and told together as what it is: never to come.
  let from = offset;
  while (from < end && !isOver()) {
    const page = await log.read(from, pageLimit).catch(tellDamaged);
    if (page === null) {
      from += 1;
      if (from < end) continue;
    }
    // Retention may take a part of it, or all, while it is being read.
    const before = Math.min((page?.[0]?.offset ?? Infinity) - 1, end);
    if (before > offset) {
      await tellGap({ after: { epoch, offset }, through: { epoch, offset: before }, reason: "trimmed" });
    }
    const drafts = (page ?? [])
      .filter((event) => event.offset <= end)
      .map((event) => LogEvent.from(epoch, event))
      .filter((event) => endpoint.filter.matches(event))
      .map((event) => draftOf(endpoint, deliveredEventOf(event), now));
    await put(drafts);
    offset = page?.at(-1)?.offset ?? end;
    from = offset;
  }
  return { stored, through: { epoch, offset: Math.min(offset, end) } };
}
