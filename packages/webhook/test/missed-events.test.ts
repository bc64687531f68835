import { formatPosition, MemoryStore } from "@starcast/core";
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
    expect(body).toMatchObject({ id: `${trimmed.epoch}-gap-${trimmed.offset}`, type: "client.gap" });
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
});
