import type { Attempt, CheckpointStore, Claim, DeliveryDraft, DeliveryStore, Surroundings } from "@starcast/core";
import type { FakeSurroundings } from "./fake-surroundings.ts";

export interface DeliveriesRequest {
  readonly surroundings: Surroundings;
  /** What `maxPerEndpoint` must be. */
  readonly maxPerEndpoint: number;
}

export interface OpenedDeliveries {
  readonly deliveries: DeliveryStore;
  /** Of the same engine: `put` moves its positions. */
  readonly checkpoints: CheckpointStore;
}

export interface DeliveriesRig extends OpenedDeliveries {
  readonly surroundings: FakeSurroundings;
  now(): number;
  /** Claims what is due; one of each endpoint unless said otherwise. */
  claim(options?: {
    readonly limit?: number;
    readonly perEndpoint?: (endpointId: string) => number;
    readonly endpointIds?: readonly string[];
  }): Promise<readonly Claim[]>;
}

export type OpenDeliveries = (maxPerEndpoint?: number) => Promise<DeliveriesRig>;

export const leaseMs = 10_000;

/** What the tests of deliveries work with. */
export function rigOf(opened: OpenedDeliveries, surroundings: FakeSurroundings): DeliveriesRig {
  const now = (): number => surroundings.clock.now();
  return {
    ...opened,
    surroundings,
    now,
    claim: ({ limit = 100, perEndpoint = () => 1, endpointIds } = {}) =>
      opened.deliveries.claimDue({ now: now(), limit, perEndpoint, endpointIds, leaseMs }),
  };
}

export function delivery(
  eventId: string,
  endpointId: string,
  {
    dueAt = 0,
    json = `"${eventId}"`,
    subject,
    orderKey,
  }: { readonly dueAt?: number; readonly json?: string; readonly subject?: string; readonly orderKey?: string } = {},
): DeliveryDraft {
  const event = { id: eventId, type: "test.happened", subject, timestamp: "2026-01-01T00:00:00.000Z", json };
  return { endpointId, event, dueAt, orderKey };
}

export function attempt(at: number, facts: Partial<Attempt> = {}): Attempt {
  return { at, tookMs: 12, category: "succeeded", status: 200, answer: null, ...facts };
}
