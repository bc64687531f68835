import { describe, expect, it } from "vitest";
import { decodeDelivery, deliveryKey, encodeDelivery, type DeliveryEntry } from "./delivery-entry.ts";

const entry: DeliveryEntry = {
  endpointId: "partner/one",
  eventId: "k3f9-1",
  orderKey: undefined,
  createdAt: 1,
  sequence: 7,
  state: { kind: "pending", dueAt: 2 },
  attemptCount: 0,
  attempts: [],
};
const key = deliveryKey(entry.endpointId, entry.eventId);

describe("a delivery in the bucket", () => {
  it.each<DeliveryEntry>([
    entry,
    { ...entry, orderKey: "a", state: { kind: "attempting", leaseUntil: 3 } },
    { ...entry, state: { kind: "succeeded", at: 4 } },
    { ...entry, state: { kind: "dead", at: 4, reason: "overflow" } },
  ])("comes back as it was: $state.kind", (each) => {
    expect(decodeDelivery(key, encodeDelivery(each), 9)).toEqual(each);
  });

  it("takes its place in age from its first write", () => {
    expect(decodeDelivery(key, encodeDelivery({ ...entry, sequence: 0 }), 9).sequence).toBe(9);
  });

  it.each([
    "hello",
    "null",
    "{}",
    JSON.stringify({ ...entry, state: null }),
    JSON.stringify({ ...entry, state: { kind: "pending" } }),
    JSON.stringify({ ...entry, state: { kind: "lost", at: 1 } }),
    JSON.stringify({ ...entry, state: { kind: "dead", at: "now" } }),
    JSON.stringify({ ...entry, attempts: undefined }),
    JSON.stringify({ ...entry, attemptCount: "0" }),
    JSON.stringify({ ...entry, createdAt: null }),
    JSON.stringify({ ...entry, orderKey: 1 }),
  ])("is damaged where it is %s", (value) => {
    expect(() => decodeDelivery(key, value, 9)).toThrow(
      expect.objectContaining({ code: "store_corrupt" }) as unknown as Error,
    );
  });

  it("is damaged under a key of another shape", () => {
    expect(() => decodeDelivery("a.b.c", encodeDelivery(entry), 9)).toThrow("as it was written");
  });
});
