import { MemoryStore, StarcastError, type Surroundings } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { fakeTime } from "./fake-time.ts";
import { dataOf, house, idsOf, listening, listeningRaw, play, settled } from "./house.ts";

const second = 1_000;
const minute = 60 * second;

type Part = "deliveries" | "records" | "checkpoints";

/** A store one part of which refuses an operation so many times, from when it is told to. */
function failing(
  part: Part,
  operation: string,
  times: number,
  surroundings?: Surroundings,
): { store: MemoryStore; begin: () => void } {
  const store = new MemoryStore({ surroundings });
  const refusing = store[part] as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
  const original = refusing[operation]?.bind(refusing);
  let left = 0;
  refusing[operation] = (...given) => {
    left -= 1;
    if (left >= 0) return Promise.reject(new StarcastError("store_failed", "disk full"));
    return original?.(...given) ?? Promise.reject(new Error(`no ${operation}`));
  };
  return { store, begin: () => void (left = times) };
}

describe("a store that refuses for a while", () => {
  it.each([
    ["put", "put"],
    ["claimDue", "claimDue"],
    ["nextDueAt", "claimDue"],
  ])("loses nothing when it cannot %s", async (operation, told) => {
    const to = await listening();
    const { store, begin } = failing("deliveries", operation, 2);
    const at = house({ allow: [to.origin], store });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    begin();
    for (let count = 0; count < 20; count += 1) await at.broker.publish("a.b", count);
    await to.count(20);
    await at.seen("webhookStoreFailed", 2);
    expect(new Set(to.received.map(dataOf)).size).toBe(20);
    expect(at.all("webhookStoreFailed").map((moment) => moment.operation)).toEqual([told, told]);
  });

  it("has its endpoints read as soon as it lets them be", async () => {
    const to = await listening();
    const before = new MemoryStore();
    const first = house({ allow: [to.origin], store: before });
    await first.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const { store, begin } = failing("records", "list", 3);
    for (const { key, value } of await before.records.list("")) await store.records.put(key, value);
    begin();
    const at = house({ allow: [to.origin], store });
    await at.broker.publish("a.b", 1);
    await to.count(1);
    expect(new Set(at.all("webhookStoreFailed").map(({ operation }) => operation))).toEqual(new Set(["load"]));
  });

  it.each([
    ["succeed", 204, "succeed"],
    ["retryAt", 500, "retry"],
  ])("has a delivery sent again whose outcome it did not keep: %s", async (operation, status, told) => {
    const time = fakeTime();
    const to = await listening((_, response) => response.writeHead(to.received.length === 1 ? status : 204).end());
    const { store, begin } = failing("deliveries", operation, 1, time);
    const at = house({ allow: [to.origin], store, surroundings: time });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    begin();
    const { id } = await at.broker.publish("a.b", 1);
    await play(time, time.clock.now() + minute, at);
    expect(at.all("webhookStoreFailed")).toMatchObject([{ operation: told }]);
    expect(idsOf(to)).toEqual([id, id]);
    expect(await at.webhooks.deliveries.get("partner", id)).toMatchObject({ state: { kind: "succeeded" } });
  });

  it("has nothing called dead that it did not keep as dead", async () => {
    const time = fakeTime();
    const to = await listening((_, response) => response.writeHead(422, { "webhook-delivery": "abort-message" }).end());
    const { store, begin } = failing("deliveries", "bury", 1, time);
    const at = house({ allow: [to.origin], store, surroundings: time });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    begin();
    const { id } = await at.broker.publish("a.b", 1);
    await play(time, time.clock.now() + second, at);
    expect(at.all("webhookStoreFailed")).toMatchObject([{ operation: "bury" }]);
    expect(at.all("webhookDeliveryDead")).toEqual([]);
    await play(time, time.clock.now() + minute, at);
    expect(idsOf(to)).toEqual([id, id]);
    expect(at.all("webhookDeliveryDead")).toMatchObject([{ eventId: id, reason: "aborted" }]);
  });

  it.each([
    ["records", "put"],
    ["checkpoints", "load"],
  ] as const)("has an endpoint turned off by its next answer when its %s refused to %s", async (part, operation) => {
    const to = await listening((_, response) => response.writeHead(410).end());
    const { store, begin } = failing(part, operation, 1);
    const at = house({ allow: [to.origin], store });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    begin();
    await at.broker.publish("a.b", 1);
    expect(await at.seen("webhookStoreFailed")).toMatchObject({ operation: "endpoint" });
    expect(await at.webhooks.endpoints.get("partner")).toMatchObject({ state: { kind: "active" } });
    await at.broker.publish("a.b", 2);
    await at.seen("webhookEndpointDisabled");
  });

  it("has an endpoint removed whole by the next call", async () => {
    const { store, begin } = failing("deliveries", "removeEndpoint", 1);
    const at = house({ allow: ["http://127.0.0.1:1"], store });
    await at.webhooks.endpoints.put({ id: "partner", url: "http://127.0.0.1:1" });
    await at.webhooks.endpoints.pause("partner");
    await at.broker.publish("a.b", 1);
    await settled(at);
    begin();
    await expect(at.webhooks.endpoints.remove("partner")).rejects.toMatchObject({ code: "store_failed" });
    expect(await at.webhooks.endpoints.remove("partner")).toBe(false);
    expect((await store.deliveries.list({}, { limit: 10 })).deliveries).toEqual([]);
  });

  it("has what it would not forget forgotten a minute later", async () => {
    const time = fakeTime();
    const to = await listening();
    const { store, begin } = failing("deliveries", "forget", 1, time);
    const at = house({ allow: [to.origin], store, surroundings: time, keepFinishedMs: minute });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const { id } = await at.broker.publish("a.b", 1);
    begin();
    await play(time, time.clock.now() + 90 * second, at);
    expect(at.all("webhookStoreFailed")).toMatchObject([{ operation: "forget" }]);
    await play(time, time.clock.now() + 2 * minute, at);
    expect(await at.webhooks.deliveries.get("partner", id)).toBeNull();
  });

  it.each(["release", "backlog"])("keeps nobody from closing when it cannot %s", async (operation) => {
    const to = await listeningRaw({ onRequest: () => undefined });
    const { store, begin } = failing("deliveries", operation, Infinity);
    const at = house({ allow: [to.origin], store, deadlineMs: 200 });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await at.broker.publish("a.b", 1);
    begin();
    const [closed] = await Promise.allSettled([at.webhooks.close(), at.broker.close()]);
    expect(closed.status).toBe("fulfilled");
    expect(at.all("webhookStoreFailed")).toMatchObject([{ operation }]);
    expect(at.all("drainCompleted")[0]?.undone).toContain("webhooks: 1 attempts were cut off");
  });
});
