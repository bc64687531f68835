import { MemoryStore } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { WebhookDispatcher } from "../src/index.ts";
import { dataOf, house, idsOf, listening, listeningRaw } from "./house.ts";

describe("several dispatchers of one broker", () => {
  it("need names of their own, and endpoint ids of their own", async () => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin] });
    expect(() => new WebhookDispatcher(broker)).toThrow(expect.objectContaining({ code: "name_taken" }));
    const other = new WebhookDispatcher(broker, { name: "internal", allow: [to.origin] });
    await webhooks.endpoints.put({ id: "one", url: `${to.origin}/one` });
    await other.endpoints.put({ id: "two", url: `${to.origin}/two` });
    await expect(other.endpoints.put({ id: "one", url: to.origin })).rejects.toMatchObject({ code: "name_taken" });
    await expect(other.endpoints.remove("one")).rejects.toMatchObject({ code: "name_taken" });
    expect((await other.endpoints.list()).map(({ id }) => id)).toEqual(["two"]);
    await broker.publish("a.b", 1);
    await broker.close();
    expect(to.received.map(({ path }) => path).toSorted()).toEqual(["/one", "/two"]);
  });
});

describe("outcomes as events", () => {
  it("are published if wanted, and never for themselves", async () => {
    const gone = await listening((_, response) => response.writeHead(410).end());
    const to = await listening();
    const at = house({ allow: [gone.origin, to.origin], publishOutcomes: true });
    await at.webhooks.endpoints.put({ id: "gone", url: gone.origin });
    await at.webhooks.endpoints.put({ id: "watcher", url: to.origin, types: ["webhook.**"] });
    const { id } = await at.broker.publish("a.b", 1);
    await to.count(2);
    const told = to.received.map(({ body }) => JSON.parse(String(body)) as { type: string; data: unknown });
    expect(told.toSorted((a, b) => (a.type < b.type ? -1 : 1))).toMatchObject([
      { type: "webhook.delivery.dead", data: { endpointId: "gone", eventId: id, reason: "endpoint_gone" } },
      { type: "webhook.endpoint.disabled", data: { endpointId: "gone", reason: "gone" } },
    ]);
  });
});

describe("closing", () => {
  it("delivers what was published before it, when the store does not outlive the process", async () => {
    const to = await listening();
    const at = house({ allow: [to.origin] });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    for (let count = 0; count < 500; count += 1) void at.broker.publish("a.b", count);
    await at.broker.close();
    expect(new Set(to.received.map(dataOf)).size).toBe(500);
    expect(at.all("drainCompleted")[0]?.undone).toEqual([]);
  });

  it("cuts off what hangs at the deadline, and says so", async () => {
    const to = await listeningRaw({ onRequest: () => undefined });
    const at = house({ allow: [to.origin], deadlineMs: 200 });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await at.broker.publish("a.b", 1);
    const startedAt = performance.now();
    await Promise.all([at.broker.close(), at.webhooks.close()]);
    // Its own deadline is 15 seconds away.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(at.all("drainCompleted")[0]?.undone).toEqual([
      "webhooks: 1 attempts were cut off",
      "webhooks: 1 deliveries to 1 endpoints are lost with the memory store",
    ]);
    await to.allClosed();
  });

  it("leaves what a store keeps to the next life, and says how much that is", async () => {
    let isHanging = true;
    const to = await listening((_, response) => void (isHanging || response.writeHead(204).end()));
    const store = new MemoryStore();
    // As one that outlives the process: what is due is not tried once more, and the next broker finds it.
    Object.assign(store.log, { durability: "process" });
    Object.assign(store, { close: () => Promise.resolve() });
    const at = house({ allow: [to.origin], store, deadlineMs: 200 });
    for (const id of ["hanging", "paused", "idle"])
      await at.webhooks.endpoints.put({ id, url: `${to.origin}/${id}`, types: [`${id}.**`] });
    await at.webhooks.endpoints.pause("paused");
    for (let count = 0; count < 5; count += 1) await at.broker.publish("hanging.on", count);
    await at.broker.publish("paused.on", 5);
    await to.count(2);
    await at.broker.close();
    expect(at.all("drainCompleted")[0]?.undone).toEqual([
      "webhooks: 2 attempts were cut off",
      "webhooks: 6 deliveries to 2 endpoints wait in the store",
    ]);
    isHanging = false;
    const cutOff = idsOf(to);
    const next = house({ allow: [to.origin], store });
    await next.webhooks.endpoints.unpause("paused");
    await next.seen("webhookAttempted", 6);
    expect(new Set(to.received.map(dataOf))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
    // The outcome of what was cut off is unknown: it comes again, with the same id.
    expect(idsOf(to).slice(2)).toEqual(expect.arrayContaining([...cutOff]));
  });

  it("of the dispatcher alone leaves the broker open, and frees its name", async () => {
    const to = await listening();
    const at = house({ allow: [to.origin] });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await at.webhooks.close();
    await at.webhooks.close();
    await at.broker.publish("a.b", 1);
    const next = new WebhookDispatcher(at.broker, { allow: [to.origin] });
    await to.count(1);
    expect((await next.endpoints.list()).map(({ id }) => id)).toEqual(["partner"]);
  });
});
