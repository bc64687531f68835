import { formatPosition, MemoryStore, StarcastError, type EventLog } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { WebhookDispatcher } from "../src/index.ts";
import { dataOf, house, listening, settled, verify } from "./house.ts";

describe("events that the log no longer has", () => {
  it("are told to every endpoint they may concern, as one signed delivery", async () => {
    const to = await listening();
    const store = new MemoryStore({ retention: { maxEvents: 4 } });
    const { broker, webhooks } = house({ allow: [to.origin], store });
    const { keys } = await webhooks.endpoints.put({
      id: "partner",
      url: to.origin,
      types: ["a.*"],
      ordering: "strict",
    });
    const seen = await broker.publish("a.b", "seen");
    await to.count(1);
    await webhooks.close();
    for (let count = 1; count <= 12; count += 1) await broker.publish("c.d", count);
    const trimmed = { ...broker.position, offset: store.log.trimmedThrough };
    const next = new WebhookDispatcher(broker, { allow: [to.origin] });
    await to.count(2);
    const [, told] = to.received;
    const body = JSON.parse(String(told?.body)) as { id: string };
    expect(body).toMatchObject({ id: `${trimmed.epoch}-gap-1-${trimmed.offset}`, type: "client.gap" });
    expect(dataOf(told)).toEqual({ after: seen.id, through: formatPosition(trimmed), reason: "trimmed" });
    expect(await verify(told, keys)).toMatchObject({ id: body.id });
    await next.close();
    expect(to.received).toHaveLength(2);
  });

  it("are told when what an endpoint missed is asked for", async () => {
    const to = await listening();
    const store = new MemoryStore({ retention: { maxEvents: 4 } });
    const at = house({ allow: [to.origin], store });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin, types: ["a.*"] });
    await settled(at);
    const from = at.broker.position;
    for (let count = 1; count <= 12; count += 1) await at.broker.publish("c.d", count);
    await settled(at);
    expect(await at.webhooks.deliveries.redeliverMissing("partner", from)).toBe(1);
    expect(await at.webhooks.deliveries.redeliverMissing("partner", from)).toBe(0);
    await to.count(1);
    expect(dataOf(to.received[0])).toEqual({
      after: formatPosition(from),
      through: formatPosition({ ...from, offset: 8 }),
      reason: "trimmed",
    });
  });

  it("are told to each endpoint from where its own begin, although all end at the same place", async () => {
    const to = await listening();
    const store = new MemoryStore({ retention: { maxEvents: 4 } });
    const at = house({ allow: [to.origin], store });
    const { broker, webhooks } = at;
    for (const id of ["near", "far"]) await webhooks.endpoints.put({ id, url: `${to.origin}/${id}`, types: ["a.*"] });
    await settled(at);
    const { epoch } = broker.position;
    for (let count = 1; count <= 12; count += 1) await broker.publish("c.d", count);
    await settled(at);
    for (const [id, offset] of [
      ["near", 6],
      ["far", 2],
      ["near", 1],
    ] as const)
      expect(await webhooks.deliveries.redeliverMissing(id, { epoch, offset })).toBe(1);
    await to.count(3);
    expect(to.received.map((got) => `${got.path} ${(dataOf(got) as { after: string }).after}`).toSorted()).toEqual([
      `/far ${epoch}-2`,
      `/near ${epoch}-1`,
      `/near ${epoch}-6`,
    ]);
  });

  it("and do not fit into an endpoint's backlog either are told to the observer", async () => {
    const store = new MemoryStore({ maxPerEndpoint: 3 });
    const at = house({ allow: ["http://127.0.0.1:1"], store });
    const from = at.broker.position;
    for (let count = 1; count <= 5; count += 1) await at.broker.publish("a.b", count);
    await at.webhooks.endpoints.put({ id: "partner", url: "http://127.0.0.1:1" });
    await at.webhooks.endpoints.pause("partner");
    expect(await at.webhooks.deliveries.redeliverMissing("partner", from)).toBe(5);
    expect(at.all("webhookOverflowed")).toMatchObject([{ count: 2 }]);
  });

  it("are told when they go just as they are looked for", async () => {
    const store = new MemoryStore();
    const log: EventLog = store.log;
    const at = house({ allow: ["http://127.0.0.1:1"], store });
    const from = at.broker.position;
    for (let count = 1; count <= 3; count += 1) await at.broker.publish("a.b", count);
    await at.webhooks.endpoints.put({ id: "partner", url: "http://127.0.0.1:1" });
    await at.webhooks.endpoints.pause("partner");
    Object.assign(log, { read: () => Promise.resolve([]) });
    expect(await at.webhooks.deliveries.redeliverMissing("partner", from)).toBe(1);
    const { deliveries } = await at.webhooks.deliveries.list({});
    expect(deliveries.map(({ event }) => JSON.parse(event.json) as unknown)).toEqual([
      { after: formatPosition(from), through: formatPosition({ ...from, offset: 3 }), reason: "trimmed" },
    ]);
  });

  it("or are damaged in it are told, and keep no endpoint from what comes after them", async () => {
    let isGone = true;
    const to = await listening((_, response) => response.writeHead(isGone ? 410 : 204).end());
    const store = new MemoryStore();
    const log: EventLog = store.log;
    const read = log.read.bind(log);
    const at = house({ allow: [to.origin], store });
    const { broker, webhooks } = at;
    await webhooks.endpoints.put({ id: "partner", url: to.origin, ordering: "strict" });
    await broker.publish("a.b", 1);
    await at.seen("webhookEndpointDisabled");
    isGone = false;
    for (let count = 2; count <= 7; count += 1) await broker.publish("a.b", count);
    await settled(at);
    const damaged = new Set([3, 4, 7]);
    Object.assign(log, {
      read: async (after: number, limit: Parameters<EventLog["read"]>[1]) => {
        const events = await read(after, limit);
        const whole = events.findIndex(({ offset }) => damaged.has(offset));
        if (whole === 0) throw new StarcastError("store_corrupt", "a damaged event");
        return whole < 0 ? events : events.slice(0, whole);
      },
    });
    await webhooks.endpoints.unpause("partner");
    await broker.publish("a.b", 8);
    await to.count(7);
    const { epoch } = broker.position;
    const gap = (after: number, through: number): object => ({
      after: `${epoch}-${after}`,
      through: `${epoch}-${through}`,
      reason: "trimmed",
    });
    expect(to.received.slice(1).map(dataOf)).toEqual([2, gap(2, 4), 5, 6, gap(6, 7), 8]);
    expect(at.all("webhookStoreFailed").map(({ operation }) => operation)).toEqual([
      "catch up",
      "catch up",
      "catch up",
    ]);
  });
});
