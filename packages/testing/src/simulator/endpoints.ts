import type { DeliveredEvent, DeliveryDraft, StoredEvent } from "@starcast/core";
import type { SeededRandom } from "../seeded-random.ts";
import { sieves, type Sieve } from "./sieve.ts";

/** Receivers of deliveries; a journal names them. */
export const endpointIds: readonly string[] = ["north", "south", "east"];

export interface Endpoint {
  readonly id: string;
  readonly sieve: Sieve;
  /** Deliveries of one subject come one after the other. */
  readonly isOrdered: boolean;
}

export function anyEndpoints(random: SeededRandom): readonly Endpoint[] {
  return endpointIds.map((id) => ({ id, sieve: random.pick(sieves), isOrdered: random.chance(0.4) }));
}

/** What an event means for those who want it. */
export function deliveriesOf(
  endpoints: readonly Endpoint[],
  event: Pick<StoredEvent, "type" | "subject">,
  delivered: DeliveredEvent,
  dueAt: number,
): readonly DeliveryDraft[] {
  return endpoints
    .filter(({ sieve }) => sieve.matches(event))
    .map(({ id, isOrdered }) => ({
      endpointId: id,
      event: delivered,
      dueAt,
      orderKey: isOrdered ? (event.subject ?? "none") : undefined,
    }));
}
