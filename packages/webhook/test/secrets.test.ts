import { MemoryStore } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { WebhookDispatcher } from "../src/index.ts";
import { turns } from "./fake-time.ts";
import { house, idsOf, listening, settled } from "./house.ts";

describe("secrets", () => {
  it("lie sealed in the store when there is a key, and open only with one of the keys", async () => {
    const store = new MemoryStore();
    const to = await listening();
    const [first, next] = [Buffer.alloc(32, 1).toString("base64"), Buffer.alloc(32, 2).toString("base64")];
    const one = house({ allow: [to.origin], store, encryptionKey: first });
    const { keys } = await one.webhooks.endpoints.put({
      id: "partner",
      url: to.origin,
      headers: { "x-token": "hunter2hunter2" },
    });
    const stored = async (): Promise<string> => JSON.stringify(await store.records.list(""));
    expect(await stored()).not.toMatch(/whsec_|hunter2/);
    const two = house({ store, encryptionKey: [next, first], allow: [to.origin] });
    expect((await two.webhooks.endpoints.put({ id: "partner", url: to.origin })).keys).toEqual(keys);
    const three = house({ store, encryptionKey: first });
    await three.seen("webhookEndpointUnreadable");
    expect(await three.webhooks.endpoints.list()).toEqual([]);
    await expect(three.webhooks.endpoints.rotate("partner")).rejects.toMatchObject({ code: "store_corrupt" });
  });

  it("that lay readable are sealed once there is a key, and by the next one once that is first", async () => {
    const store = new MemoryStore();
    const to = await listening();
    const [first, next] = [Buffer.alloc(32, 1).toString("base64"), Buffer.alloc(32, 2).toString("base64")];
    const stored = async (): Promise<readonly string[]> =>
      (await store.records.list("")).map(({ value }) => value).toSorted();
    const open = house({ allow: [to.origin], store });
    const ids = ["one", "two"];
    const put: unknown[] = [];
    for (const id of ids) put.push((await open.webhooks.endpoints.put({ id, url: to.origin })).keys);
    await open.webhooks.close();
    let before = await stored();
    for (const text of before) expect(text).toContain("whsec_");
    for (const encryptionKey of [first, [next, first]]) {
      const { webhooks } = house({ allow: [to.origin], store, encryptionKey });
      while ((await stored()).some((text) => before.includes(text))) await turns();
      await webhooks.close();
      before = await stored();
      for (const text of before) expect(text).not.toContain("whsec_");
    }
    const last = house({ allow: [to.origin], store, encryptionKey: next });
    const keys: unknown[] = [];
    for (const id of ids) keys.push((await last.webhooks.endpoints.put({ id, url: to.origin })).keys);
    expect(keys).toEqual(put);
    expect(last.all("webhookEndpointUnreadable")).toEqual([]);
  });

  it("that cannot be opened for a while cost the endpoint nothing that is published meanwhile", async () => {
    const store = new MemoryStore();
    const to = await listening();
    const [right, wrong] = [Buffer.alloc(32, 1).toString("base64"), Buffer.alloc(32, 2).toString("base64")];
    const before = house({ allow: [to.origin], store, encryptionKey: right });
    await before.webhooks.endpoints.put({ id: "partner", url: to.origin, types: ["a.*"] });
    await before.webhooks.close();
    const mistaken = house({ allow: [to.origin], store, encryptionKey: wrong });
    await mistaken.seen("webhookEndpointUnreadable");
    const { id } = await mistaken.broker.publish("a.b", 1);
    await mistaken.broker.publish("c.d", 2);
    await settled(mistaken);
    expect(to.received).toEqual([]);
    expect(await mistaken.webhooks.deliveries.backlog("partner")).toMatchObject({ pending: 1 });
    await mistaken.webhooks.close();
    const after = house({ allow: [to.origin], store, encryptionKey: right });
    await after.seen("webhookAttempted");
    expect(idsOf(to)).toEqual([id]);
  });

  it("that cannot be opened any more keep nobody from removing the endpoint, but that of another dispatcher", async () => {
    const store = new MemoryStore();
    const [right, wrong] = [Buffer.alloc(32, 1).toString("base64"), Buffer.alloc(32, 2).toString("base64")];
    const before = house({ store, encryptionKey: right });
    await before.webhooks.endpoints.put({ id: "partner", url: "https://hooks.partner.com/" });
    const after = house({ store, encryptionKey: wrong });
    const { broker, webhooks } = after;
    const other = new WebhookDispatcher(broker, { name: "other", encryptionKey: wrong });
    await expect(other.endpoints.remove("partner")).rejects.toMatchObject({ code: "name_taken" });
    await store.records.put("webhooks/endpoints/junk", "{");
    for (const id of ["partner", "junk"]) expect(await webhooks.endpoints.remove(id)).toBe(true);
    expect(await store.records.list("webhooks/endpoints/")).toEqual([]);
    await webhooks.endpoints.put({ id: "partner", url: "https://hooks.partner.com/" });
  });

  it("that a receiver echoes are not kept with its answer", async () => {
    const to = await listening((got, response) => response.writeHead(500).end(JSON.stringify(got.headers)));
    const at = house({ allow: [to.origin] });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin, headers: { authorization: 'Bearer "hunter2"' } });
    const { id } = await at.broker.publish("a.b", 1);
    await at.seen("webhookAttempted");
    const answer = (await at.webhooks.deliveries.get("partner", id))?.attempts[0]?.answer;
    expect(answer).toContain("[redacted]");
    expect(answer).not.toMatch(/hunter2|v1,/);
    expect(JSON.stringify(at.moments)).not.toMatch(/hunter2|whsec_/);
  });
});
