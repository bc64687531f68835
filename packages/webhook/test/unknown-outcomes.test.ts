import { inspect } from "node:util";
import { MemoryStore, StarcastError, type ClaimRequest, type DeliveryStore } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { maxUnstoredDrafts } from "../src/intake.ts";
import { fakeTime } from "./fake-time.ts";
import { house, idsOf, listening, play, settled } from "./house.ts";

const second = 1_000;
const minute = 60 * second;

describe("a process that freezes in the middle of an attempt", () => {
  it("is overtaken when its claim has ended: the same id is sent again, and what it says later changes nothing", async () => {
    const [frozen, lively] = [fakeTime(), fakeTime()];
    const store = new MemoryStore({ surroundings: lively });
    let answers = 0;
    const to = await listening((_, response) => {
      answers += 1;
      if (answers > 1) response.writeHead(204).end();
    });
    const first = house({ allow: [to.origin], store, surroundings: frozen });
    await first.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const { id } = await first.broker.publish("a.b", {});
    await to.count(1);
    const other = house({ allow: [to.origin], store, surroundings: lively });
    await play(lively, lively.clock.now() + 29 * second, other);
    expect(to.received).toHaveLength(1);
    await play(lively, lively.clock.now() + 2 * second, other);
    expect(idsOf(to)).toEqual([id, id]);
    const delivered = await store.deliveries.get("partner", id);
    expect(delivered).toMatchObject({ state: { kind: "succeeded" }, attempts: [{ category: "succeeded" }] });
    await frozen.advanceTo(frozen.clock.now() + minute);
    await settled(first);
    expect(await store.deliveries.get("partner", id)).toEqual(delivered);
    expect(first.all("webhookStoreFailed")).toEqual([]);
    expect(to.received).toHaveLength(2);
  });
});

describe("a clock that is set forward by hours in the middle of an attempt", () => {
  it("ends its claim: the same id is sent again, one of the two counts, and nothing is left over", async () => {
    const time = fakeTime();
    let aheadMs = 0;
    const surroundings = { ...time, clock: { now: () => time.clock.now() + aheadMs } };
    const held: (() => void)[] = [];
    const to = await listening((_, response) => held.push(() => response.writeHead(204).end()));
    const at = house({ allow: [to.origin], surroundings });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const first = await at.broker.publish("a.b", 1);
    await to.count(1);
    aheadMs = 3 * 60 * minute;
    const second = await at.broker.publish("a.b", 2);
    for (let count = 2; count <= 3; count += 1) {
      await to.count(count);
      held.shift()?.();
    }
    held.shift()?.();
    await at.seen("webhookAttempted", 3);
    await settled(at);
    expect(idsOf(to)).toEqual([first.id, first.id, second.id]);
    for (const { id } of [first, second])
      expect(await at.webhooks.deliveries.get("partner", id)).toMatchObject({
        state: { kind: "succeeded" },
        attemptCount: 1,
      });
    expect(at.all("webhookStoreFailed")).toEqual([]);
    expect(at.webhooks.inFlight).toBe(0);
  });
});

describe("a store with a delivery that it cannot read", () => {
  it("says which endpoint it is of, and the others go on", async () => {
    const store = new MemoryStore();
    const deliveries: DeliveryStore = store.deliveries;
    const claimDue = deliveries.claimDue.bind(deliveries);
    let isTold = false;
    Object.assign(deliveries, {
      claimDue: (request: ClaimRequest) => {
        if (!isTold) request.onDamaged?.("partner", new StarcastError("store_corrupt", "a damaged row"));
        isTold = true;
        return claimDue(request);
      },
    });
    const to = await listening();
    const at = house({ allow: [to.origin], store });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await at.broker.publish("a.b", 1);
    await to.count(1);
    expect(at.all("webhookDeliveryDamaged")).toMatchObject([
      { level: "warn", endpointId: "partner", error: { code: "store_corrupt" } },
    ]);
    expect(at.all("webhookStoreFailed")).toEqual([]);
  });
});

describe("a delivery that nothing can be made of", () => {
  it("is a failed attempt of its endpoint, and harms nobody else", async () => {
    const store = new MemoryStore();
    const to = await listening();
    const at = house({ allow: [to.origin], store, source: "/catalog" });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin, format: "cloudevents-binary" });
    // No store of ours would take such a subject from a publisher; a file may be damaged, or written by others.
    const event = { id: "e-1", type: "a.b", subject: "\ud800", timestamp: "2026-01-01T00:00:00.000Z", json: "1" };
    await store.deliveries.put([{ endpointId: "partner", event, dueAt: 0, orderKey: undefined }]);
    const { id } = await at.broker.publish("a.b", 1);
    await to.count(1);
    await settled(at);
    expect(idsOf(to)).toEqual([id]);
    expect(await at.webhooks.deliveries.get("partner", "e-1")).toMatchObject({
      state: { kind: "pending" },
      attempts: [{ category: "request_refused" }],
    });
  });
});

describe("a store that is slow to take deliveries in", () => {
  it("is handed a bounded number of them: the others wait in the log", async () => {
    const store = new MemoryStore();
    const deliveries: DeliveryStore = store.deliveries;
    const put = deliveries.put.bind(deliveries);
    const sizes: number[] = [];
    let release: () => void = () => undefined;
    const isReleased = new Promise<void>((resolve) => (release = resolve));
    Object.assign(deliveries, {
      put: async (...given: Parameters<DeliveryStore["put"]>) => {
        sizes.push(given[0].length);
        await isReleased;
        return put(...given);
      },
    });
    const at = house({ allow: ["http://127.0.0.1:1"], store });
    for (const id of ["one", "two"]) {
      await at.webhooks.endpoints.put({ id, url: "http://127.0.0.1:1" });
      await at.webhooks.endpoints.pause(id);
    }
    const events = 4_000;
    await Promise.all(Array.from({ length: events }, (_, index) => at.broker.publish("a.b", index)));
    await settled(at);
    expect(sizes).toHaveLength(1);
    release();
    while ((await store.deliveries.backlog("two")).pending < events) await settled(at);
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(maxUnstoredDrafts + 1);
    expect(await store.deliveries.backlog("one")).toMatchObject({ pending: events });
  });
});

describe("an endpoint of an earlier life of the service", () => {
  it("is not called when the rules have become stricter since, and says so in its attempts", async () => {
    const store = new MemoryStore();
    const to = await listening();
    const before = house({ allow: [to.origin], store });
    await before.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await before.webhooks.close();
    const after = house({ store });
    const { id } = await after.broker.publish("a.b", 1);
    expect(await after.seen("webhookAttempted")).toMatchObject({
      endpointId: "partner",
      eventId: id,
      category: "address_refused",
    });
    expect(to.received).toHaveLength(0);
    expect(await after.webhooks.endpoints.pause("partner")).toMatchObject({ state: { kind: "paused" } });
  });

  it("is told and left out when its record cannot be read", async () => {
    const store = new MemoryStore();
    for (const [id, value] of [
      ["junk", "{"],
      ["old", '{"version":0}'],
      ["empty", '{"version":1,"secrets":{"keys":[]}}'],
      ["cut", '{"version":1,"secrets":{"keys":[{"key":hunter2hunter2'],
      ["shapeless", '{"version":1,"secrets":{"keys":[{}],"headers":{}}}'],
    ] as const) {
      await store.records.put(`webhooks/endpoints/${id}`, value);
    }
    const at = house({ store });
    expect(await at.webhooks.endpoints.list()).toEqual([]);
    expect(
      at
        .all("webhookEndpointUnreadable")
        .map(({ endpointId }) => endpointId)
        .toSorted(),
    ).toEqual(["cut", "empty", "junk", "old", "shapeless"]);
    expect(inspect(at.moments, { depth: Infinity, showHidden: true })).not.toContain("hunter2");
    for (const { error } of at.all("webhookEndpointUnreadable")) expect(error).toMatchObject({ code: "store_corrupt" });
  });
});
