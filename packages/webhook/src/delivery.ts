import {
  formatPosition,
  type DeadReason,
  type DeliveredEvent,
  type DeliveryDraft,
  type Gap,
  type LogEvent,
  type Matchable,
  type Position,
  type Random,
} from "@starcast/core";
import type { EndpointRecord, LiveEndpoint } from "./endpoint.ts";
import type { Ordering } from "./endpoint-options.ts";
import type { Outcome } from "./outcome.ts";
import { waitAfter } from "./retry-schedule.ts";

/** What becomes of a delivery after an attempt: pending -> attempting -> succeeded | pending again | dead. */
export type Verdict =
  | { readonly kind: "succeed" }
  | { readonly kind: "retry"; readonly waitMs: number }
  | { readonly kind: "bury"; readonly reason: DeadReason };

/** Pure but for `random`. `attempt` counts from 1. */
export function judgeAttempt(
  outcome: Outcome,
  attempt: number,
  scheduleMs: readonly number[],
  random: Random,
): Verdict {
  switch (outcome.kind) {
    case "succeeded":
      return { kind: "succeed" };
    case "endpoint_gone":
      return { kind: "bury", reason: "endpoint_gone" };
    case "aborted":
      return { kind: "bury", reason: "aborted" };
    case "retry": {
      const waitMs = waitAfter(attempt, scheduleMs, outcome.wish, random);
      return waitMs === null ? { kind: "bury", reason: "exhausted" } : { kind: "retry", waitMs };
    }
  }
}

/** Whether this event is one of the endpoint's: it wants the kind, is not turned off, and was put before. */
export function isFor(
  endpoint: LiveEndpoint,
  event: Matchable & { readonly epoch: string; readonly offset: number },
): boolean {
  return wantsEvents(endpoint.record, event) && endpoint.filter.matches(event);
}

/** Whether a gap is one of the endpoint's: nobody knows what was in it, so every endpoint it may concern is told. */
export function isGapFor({ record }: LiveEndpoint, gap: Gap): boolean {
  return wantsEvents(record, gap.through);
}

/** One event for one endpoint, ready to be stored. */
export function draftOf(endpoint: LiveEndpoint, event: DeliveredEvent, dueAt: number): DeliveryDraft {
  const { id, ordering } = endpoint.record;
  return { endpointId: id, event, dueAt, orderKey: orderKeyOf(ordering, event) };
}

/** The event as deliveries keep it. */
export function deliveredEventOf({ id, type, subject, timestamp, json }: LogEvent): DeliveredEvent {
  return { id, type, subject, timestamp, json };
}

/**
 * The notice that events will never come, as an event: its id is the gap's own, since that of the last missing event may
 * have been used. The same gap gives the same id, and one that begins elsewhere another: a store keeps what an id says once.
 */
export function gapEventOf(gap: Gap, now: number): DeliveredEvent {
  const { after, through, reason } = gap;
  const data = { after: after === null ? null : formatPosition(after), through: formatPosition(through), reason };
  const begin = after === null ? "start" : after.epoch === through.epoch ? after.offset : formatPosition(after);
  return {
    id: `${through.epoch}-gap-${begin}-${through.offset}`,
    type: "client.gap",
    subject: undefined,
    timestamp: new Date(now).toISOString(),
    json: JSON.stringify(data),
  };
}

// Places of different logs cannot be compared: an event of a new epoch came after everything of the old one.
function wantsEvents({ state, startsAfter }: EndpointRecord, place: Position): boolean {
  return state.kind !== "disabled" && (place.epoch !== startsAfter.epoch || place.offset > startsAfter.offset);
}

function orderKeyOf(ordering: Ordering, event: DeliveredEvent): string | undefined {
  if (ordering === "none") return undefined;
  if (ordering === "strict") return "all";
  return event.subject === undefined ? undefined : `subject ${event.subject}`;
}
