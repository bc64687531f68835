import { StarcastError, type Attempt, type DeliveryDraft, type DeliveryState } from "@starcast/core";
import { fromKey, toKey } from "./key-text.ts";

/** One delivery as the bucket keeps it; the event's bytes are in a bucket of their own, once per event. */
export interface DeliveryEntry {
  readonly endpointId: string;
  readonly eventId: string;
  readonly orderKey: string | undefined;
  readonly createdAt: number;
  /** The revision of the first write: the order of age. 0 in that write itself. */
  readonly sequence: number;
  readonly state: DeliveryState;
  readonly attemptCount: number;
  readonly attempts: readonly Attempt[];
}

/** What is written for these drafts; those for which an endpoint has no room are dead from the beginning. */
export function newEntries(
  drafts: readonly DeliveryDraft[],
  createdAt: number,
  roomOf: (endpointId: string) => number,
): readonly DeliveryEntry[] {
  const room = new Map<string, number>();
  return drafts.map(({ endpointId, event, orderKey, dueAt }) => {
    const left = room.get(endpointId) ?? roomOf(endpointId);
    room.set(endpointId, left - 1);
    const state: DeliveryState =
      left > 0 ? { kind: "pending", dueAt } : { kind: "dead", at: createdAt, reason: "overflow" };
    return { endpointId, eventId: event.id, orderKey, createdAt, sequence: 0, state, attemptCount: 0, attempts: [] };
  });
}

export function deliveryKey(endpointId: string, eventId: string): string {
  return `${toKey(endpointId)}.${toKey(eventId)}`;
}

/** The endpoint and event of a key; null for one that is not a delivery's. */
export function readDeliveryKey(key: string): { readonly endpointId: string; readonly eventId: string } | null {
  const [endpointId, eventId, more] = key.split(".");
  if (endpointId === undefined || eventId === undefined || more !== undefined) return null;
  return { endpointId: fromKey(endpointId), eventId: fromKey(eventId) };
}

export function encodeDelivery(entry: DeliveryEntry): string {
  // Both are in the key.
  return JSON.stringify({ ...entry, endpointId: undefined, eventId: undefined });
}

/** Throws `store_corrupt` for what no delivery store wrote. */
export function decodeDelivery(key: string, value: string, revision: number): DeliveryEntry {
  const named = readDeliveryKey(key);
  try {
    const kept = JSON.parse(value) as Kept;
    if (named !== null && isWhole(kept))
      return { ...named, ...kept, orderKey: kept.orderKey, sequence: kept.sequence || revision };
  } catch {
    // Said below.
  }
  throw new StarcastError("store_corrupt", "Expected a delivery as it was written, got something else");
}

type Kept = Omit<DeliveryEntry, "endpointId" | "eventId">;

function isWhole({ state, createdAt, attemptCount, attempts, orderKey }: Kept): boolean {
  if (typeof createdAt !== "number" || typeof attemptCount !== "number" || !Array.isArray(attempts)) return false;
  if (orderKey !== undefined && typeof orderKey !== "string") return false;
  return typeof timeOf(state) === "number";
}

/** When it is due, free again, or was finished; undefined for a state that there is none of. */
function timeOf(state: DeliveryState): unknown {
  switch (state.kind) {
    case "pending":
      return state.dueAt;
    case "attempting":
      return state.leaseUntil;
    case "succeeded":
    case "dead":
      return state.at;
    default:
      return undefined;
  }
}
