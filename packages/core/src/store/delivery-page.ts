import type { Delivery, DeliveryPage, DeliverySelection } from "./delivery-store.ts";
import type { Backlogged, EndpointBacklog, KeptDelivery } from "./endpoint-backlog.ts";

/** The deliveries of these backlogs that a selection names. */
export function select<Item extends Backlogged>(
  backlogs: ReadonlyMap<string, EndpointBacklog<Item>>,
  { endpointId, eventId, states, since = -Infinity, until = Infinity }: DeliverySelection,
): Item[] {
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
export function pageOf<Item extends { readonly sequence: number }>(
  deliveries: readonly Item[],
  { limit, next }: { readonly limit: number; readonly next?: string | undefined },
): { readonly page: readonly Item[]; readonly next: string | null } {
  const before = next === undefined ? Infinity : Number(next);
  const found = deliveries.filter(({ sequence }) => sequence < before).toSorted((a, b) => b.sequence - a.sequence);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    page,
    next: last !== undefined && found.length > limit ? String(last.sequence) : null,
  };
}

/** A delivery as it is now: later changes do not show in it. */
export function view({ backlog, event, orderKey, createdAt, state, attemptCount, attempts }: KeptDelivery): Delivery {
  return { endpointId: backlog.endpointId, event, orderKey, createdAt, state, attemptCount, attempts };
}

export function viewPage({
  page,
  next,
}: {
  readonly page: readonly KeptDelivery[];
  readonly next: string | null;
}): DeliveryPage {
  return { deliveries: page.map(view), next };
}
