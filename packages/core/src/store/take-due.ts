import type { ClaimRequest } from "./delivery-store.ts";
import type { Backlogged, EndpointBacklog } from "./endpoint-backlog.ts";

/**
 * Hands over what is due, one of each endpoint in turn: a long backlog takes only what the others leave. `take` MUST move
 * the delivery on, so that it is the first due no more.
 */
export function takeDue<Item extends Backlogged>(
  backlogs: Iterable<EndpointBacklog<Item>>,
  { now, limit, perEndpoint }: Omit<ClaimRequest, "leaseMs">,
  take: (delivery: Item) => void,
): void {
  const able: { readonly backlog: EndpointBacklog<Item>; left: number }[] = [];
  for (const backlog of backlogs) {
    if (backlog.firstDue(now) === undefined) continue;
    const left = perEndpoint(backlog.endpointId);
    if (left > 0) able.push({ backlog, left });
  }
  let taken = 0;
  while (able.length > 0) {
    let stillAble = 0;
    for (const each of able) {
      if (taken >= limit) return;
      const delivery = each.backlog.firstDue(now);
      if (delivery === undefined) continue;
      take(delivery);
      taken += 1;
      each.left -= 1;
      if (each.left > 0) able[stillAble++] = each;
    }
    able.length = stillAble;
  }
}
