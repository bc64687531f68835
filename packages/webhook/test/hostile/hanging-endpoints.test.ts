import { describe, expect, it } from "vitest";
import { house, listening, listeningRaw } from "../house.ts";

const endpoints = 1_000;
const hanging = 100;
const events = 3;

describe("a thousand endpoints, a hundred of which hang", () => {
  it("leave the other nine hundred unaffected: all has arrived before the first of those that hang is given up", async () => {
    const fine = await listening();
    const dead = await listeningRaw({ onRequest: () => undefined });
    // A deadline that nothing here reaches, on however busy a machine: what hangs does so from the first to the last line.
    const at = house({ allow: [fine.origin, dead.origin], attempt: { deadlineMs: 120_000 }, deadlineMs: 100 });
    for (let index = 0; index < endpoints; index += 1) {
      const to = index % (endpoints / hanging) === 0 ? dead : fine;
      await at.webhooks.endpoints.put({ id: `e${index}`, url: `${to.origin}/${index}`, concurrency: 2 });
    }
    for (let index = 0; index < events; index += 1) await at.broker.publish("a.b", index);
    await fine.count((endpoints - hanging) * events);
    const distinct = new Set(fine.received.map(({ path, headers }) => `${path} ${String(headers["webhook-id"])}`));
    expect(distinct.size).toBe((endpoints - hanging) * events);
    expect(at.all("webhookAttempted").filter(({ category }) => category !== "succeeded")).toEqual([]);
    // Two at once to each that has not shown what it can take, never more.
    expect(dead.connections()).toBe(2 * hanging);
  }, 100_000);
});
