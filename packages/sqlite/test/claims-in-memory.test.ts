import { fakeSurroundings } from "@starcast/testing";
import type { Attempt, DeliveryDraft } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { FreshDeliveries } from "../src/fresh-deliveries.ts";
import { deliveriesPerCommit } from "../src/delivery-writer.ts";
import { rowsPerLook } from "../src/due-rows.ts";
import { houseOfFiles, outcomeOf, ownTime } from "./house.ts";

const leaseMs = 10_000;
const everything = { now: Number.MAX_SAFE_INTEGER / 2, limit: 1_000, perEndpoint: () => 1_000, leaseMs };

function draftOf(eventId: string, endpointId = "ep", json = "1"): DeliveryDraft {
  const event = { id: eventId, type: "a.b", subject: undefined, timestamp: "t", json };
  return { endpointId, event, dueAt: 0, orderKey: undefined };
}

const attempt: Attempt = { at: 1, tookMs: 1, category: "succeeded", status: 204, answer: null };

describe("deliveries in a file with commits far apart", () => {
  const house = houseOfFiles();

  it("are claimed without waiting for one, and no claim is given twice while an outcome does", async () => {
    const { open } = house();
    // Turns are those of the fake clock too: nothing is committed unless time is moved.
    const surroundings = fakeSurroundings(1, { turns: "real" });
    const { deliveries } = await open({ surroundings, commitMs: 1_000 });
    const put = deliveries.put([draftOf("e1"), draftOf("e2")]);
    await surroundings.advance(1_000);
    await put;
    const now = surroundings.clock.now();
    const [first, second] = await deliveries.claimDue({ ...everything, now });
    if (first === undefined || second === undefined) throw new Error("Expected two claims, got fewer");
    const reported = deliveries.succeed(first, attempt);
    // Its lease is over before the outcome is in the file.
    expect(await deliveries.claimDue({ ...everything, now: now + leaseMs })).toMatchObject([
      { delivery: { event: { id: "e2" } } },
    ]);
    expect(await outcomeOf(deliveries.succeed(first, attempt))).toBe("stale_claim");
    expect(await outcomeOf(deliveries.succeed(second, attempt))).toBe("stale_claim");
    await surroundings.advance(1_000);
    await reported;
    expect(await deliveries.get("ep", "e1")).toMatchObject({ state: { kind: "succeeded" }, attemptCount: 1 });
  });

  // Its lease had ended, and it stood among those that would be claimed next, when its outcome came after all.
  it("wait for their retry, also when they had been looked up as due again before", async () => {
    const { open } = house();
    const { deliveries } = await open();
    await deliveries.put([draftOf("e1"), draftOf("e2")]);
    const [, second] = await deliveries.claimDue({ ...everything, now: 0 });
    if (second === undefined) throw new Error("Expected two claims, got fewer");
    const later = { ...everything, now: leaseMs, limit: 1 };
    expect(await deliveries.claimDue(later)).toMatchObject([{ delivery: { event: { id: "e1" } } }]);
    await deliveries.retryAt(second, attempt, leaseMs * 100);
    expect(await deliveries.claimDue(later)).toEqual([]);
    expect(await deliveries.claimDue({ ...later, now: leaseMs * 100 })).toHaveLength(1);
  });

  it("are reported and delivered again in the order in which that was asked for", async () => {
    const { open } = house();
    const { deliveries } = await open();
    await deliveries.put([draftOf("e1"), draftOf("e2")]);
    const [first, second] = await deliveries.claimDue({ ...everything, now: 0 });
    if (first === undefined || second === undefined) throw new Error("Expected two claims, got fewer");
    const outcomes = await Promise.all([
      deliveries.bury(first, attempt, "exhausted"),
      deliveries.redeliver({ states: ["dead"] }, 0),
      deliveries.bury(second, attempt, "exhausted"),
    ]);
    expect(outcomes).toEqual([undefined, 1, undefined]);
    expect(await deliveries.backlog("ep")).toMatchObject({ pending: 1, dead: 1 });
  });

  it("are delivered again in steps, so that other writes need not wait for all of them", async () => {
    const { open } = house();
    const { deliveries, records } = await open();
    const count = deliveriesPerCommit * 2 + 1;
    await deliveries.put(Array.from({ length: count }, (_, index) => draftOf(`e${index}`)));
    const claims = await deliveries.claimDue({ ...everything, now: 0, limit: count, perEndpoint: () => count });
    await Promise.all(claims.map((claim) => deliveries.bury(claim, attempt, "exhausted")));
    const redelivering = deliveries.redeliver({ states: ["dead"] }, 0);
    await records.put("other", "write");
    expect((await deliveries.backlog("ep")).dead).toBe(count - deliveriesPerCommit);
    expect(await redelivering).toBe(count);
    expect(await deliveries.backlog("ep")).toMatchObject({ pending: count, dead: 0 });
  });

  it("are due again by their leases when the outcome could not be written", async () => {
    const { open, edit } = house();
    const { deliveries } = await open();
    await deliveries.put([draftOf("e1")]);
    const [claim] = await deliveries.claimDue({ ...everything, now: 0 });
    if (claim === undefined) throw new Error("Expected a claim, got none");
    await edit((driver) =>
      driver.exec("CREATE TRIGGER broken BEFORE UPDATE ON deliveries BEGIN SELECT RAISE(ABORT, 'broken'); END"),
    );
    expect(await outcomeOf(deliveries.succeed(claim, attempt))).toBe("store_failed");
    await edit((driver) => driver.exec("DROP TRIGGER broken"));
    expect(await deliveries.claimDue({ ...everything, now: leaseMs - 1 })).toEqual([]);
    expect(await deliveries.nextDueAt(() => true)).toBe(leaseMs);
    expect(await deliveries.claimDue({ ...everything, now: leaseMs })).toHaveLength(1);
  });
});

describe("outcomes of one commit", () => {
  const house = houseOfFiles();

  it("are written for themselves when the deliveries of others were removed with the same commit", async () => {
    const { open } = house();
    const { deliveries } = await open();
    const drafts = Array.from({ length: 45 }, (_, index) => [
      draftOf(`e${index}`, "kept"),
      draftOf(`e${index}`, "gone"),
    ]);
    await deliveries.put(drafts.flat());
    const claims = await deliveries.claimDue({ ...everything, now: 0 });
    expect(claims).toHaveLength(90);
    const removed = deliveries.removeEndpoint("gone");
    const outcomes = await Promise.all(claims.map((claim) => outcomeOf(deliveries.succeed(claim, attempt))));
    await removed;
    for (const [index, { delivery }] of claims.entries())
      expect(outcomes[index]).toBe(delivery.endpointId === "gone" ? "stale_claim" : undefined);
    const { deliveries: kept } = await deliveries.list({}, { limit: 100 });
    expect(kept).toHaveLength(45);
    for (const delivery of kept)
      expect(delivery).toMatchObject({ endpointId: "kept", state: { kind: "succeeded" }, attempts: [attempt] });
    expect(await deliveries.claimDue({ ...everything, now: leaseMs })).toEqual([]);
  });
});

describe("the count of what an endpoint has to do", () => {
  const house = houseOfFiles();

  it("is exact when a write of the same commit was undone, and after the file is opened again", async () => {
    const { open } = house();
    const store = await open({ maxPerEndpoint: 3 });
    const unusable = { ...draftOf("bad"), event: { ...draftOf("bad").event, type: null as unknown as string } };
    const [good, refused] = await Promise.all([
      store.deliveries.put([draftOf("e1")]),
      outcomeOf(store.deliveries.put([draftOf("e2"), unusable])),
      store.deliveries.put([draftOf("e3", "other")]),
    ]);
    expect([good.stored, refused]).toEqual([1, "store_failed"]);
    expect(await store.deliveries.put([draftOf("e4"), draftOf("e5"), draftOf("e6")])).toEqual({
      stored: 3,
      overflowed: 1,
    });
    await store.close();
    const { deliveries } = await open({ maxPerEndpoint: 3 });
    expect(await deliveries.put([draftOf("e7"), draftOf("e7", "other")])).toEqual({ stored: 2, overflowed: 1 });
    expect(await deliveries.removeEndpoint("ep").then(() => deliveries.put([draftOf("e8")]))).toMatchObject({
      overflowed: 0,
    });
  });
});

describe("a put that repeats what is there", () => {
  const house = houseOfFiles();

  it("takes no room with it, from what is new", async () => {
    const { open } = house();
    const { deliveries } = await open({ maxPerEndpoint: 2 });
    await deliveries.put([draftOf("e1")]);
    expect(await deliveries.put([draftOf("e1"), draftOf("e2"), draftOf("e3")])).toEqual({ stored: 2, overflowed: 1 });
    expect(await deliveries.get("ep", "e2")).toMatchObject({ state: { kind: "pending" } });
  });

  it("holds up nothing of its order key when that one was finished long ago", async () => {
    const { open } = house();
    const { deliveries } = await open();
    const ofKey = (id: string): DeliveryDraft => ({ ...draftOf(id), orderKey: "key" });
    await deliveries.put([ofKey("e1")]);
    const [claim] = await deliveries.claimDue({ ...everything, now: 0 });
    if (claim === undefined) throw new Error("Expected a claim, got none");
    await deliveries.succeed(claim, attempt);
    expect(await deliveries.put([ofKey("e1"), ofKey("e2")])).toEqual({ stored: 1, overflowed: 0 });
    expect(await deliveries.claimDue({ ...everything, now: 0 })).toMatchObject([{ delivery: { event: { id: "e2" } } }]);
  });
});

describe("deliveries kept until they are tried", () => {
  it("are the newest that fit in so many bytes", () => {
    const fresh = new FreshDeliveries(10_000);
    const { event } = draftOf("e1", "ep", "x".repeat(800));
    for (let sequence = 1; sequence <= 100; sequence += 1)
      fresh.add({ sequence, endpointId: "ep", event, orderKey: undefined, createdAt: 0, dueAt: 0 });
    expect(fresh.size).toBe(5);
    expect(fresh.take(95)).toBeUndefined();
    expect(fresh.take(96)?.event).toBe(event);
    expect(fresh.take(96)).toBeUndefined();
    expect(fresh.size).toBe(4);
  });

  const house = houseOfFiles();

  it("and those that are not are read from the file, in their turn", async () => {
    const { open } = house();
    const store = await open({ surroundings: ownTime() });
    const count = rowsPerLook * 2 + 10;
    await store.deliveries.put(Array.from({ length: count }, (_, index) => draftOf(`e${index}`)));
    await store.close();
    const { deliveries } = await open({ surroundings: ownTime() });
    const claims = await deliveries.claimDue({ ...everything, now: ownTime().clock.now() });
    expect(claims.map(({ delivery }) => delivery.event.id)).toEqual(
      Array.from({ length: count }, (_, index) => `e${index}`),
    );
  });
});
