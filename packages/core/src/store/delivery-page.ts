import type { Delivery, DeliveryPage, DeliverySelection } from "./delivery-store.ts";
import type { EndpointBacklog, KeptDelivery } from "./endpoint-backlog.ts";

/** The deliveries of these backlogs that a selection names. */
export function select(
  backlogs: ReadonlyMap<string, EndpointBacklog>,
  { endpointId, eventId, states, since = -Infinity, until = Infinity }: DeliverySelection,
): KeptDelivery[] {
  const selected = endpointId === undefined ? [...backlogs.values()] : [backlogs.get(endpointId)];
  return selected
    .flatMap((each) =>
      eventId === undefined ? [...(each?.deliveries.values() ?? [])] : [each?.deliveries.get(eventId)],
    )
    .filter((each) => each !== undefined)
    .filter(
      ({ state, createdAt }) => states?.includes(state.kind) !== false && createdAt >= since && createdAt < until,
    );
}

/** One page of them, newest first; `next` is the sequence number it ends with, since others may come and go meanwhile. */
export function pageOf(
  deliveries: readonly KeptDelivery[],
  { limit, next }: { readonly limit: number; readonly next?: string | undefined },
): DeliveryPage {
  const before = next === undefined ? Infinity : Number(next);
  const found = deliveries.filter(({ sequence }) => sequence < before).toSorted((a, b) => b.sequence - a.sequence);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    deliveries: page.map(view),
    next: last !== undefined && found.length > limit ? String(last.sequence) : null,
  };
}

/** A delivery as it is now: later changes do not show in it. */
export function view({ backlog, event, orderKey, createdAt, state, attemptCount, attempts }: KeptDelivery): Delivery {
  return Object.freeze({ endpointId: backlog.endpointId, event, orderKey, createdAt, state, attemptCount, attempts });
}
