import { describe, expect, it } from "vitest";
import { house, listening, listeningRaw } from "../house.ts";

const endpoints = 1_000;
const hanging = 100;
const events = 4;

async function deliverAll(hangingCount: number): Promise<{ tookMs: number; hangingConnections: number }> {
  const fine = await listening();
  const dead = await listeningRaw({ onRequest: () => undefined });
  const { broker, webhooks } = house({ allow: [fine.origin, dead.origin], deadlineMs: 100 });
  for (let index = 0; index < endpoints; index += 1) {
    const to = index % (endpoints / hanging) === 0 ? (hangingCount > 0 ? dead : undefined) : fine;
    if (to !== undefined)
      await webhooks.endpoints.put({ id: `e${index}`, url: `${to.origin}/${index}`, concurrency: 2 });
  }
  const startedAt = performance.now();
  for (let index = 0; index < events; index += 1) await broker.publish("a.b", index);
  await fine.count((endpoints - hanging) * events);
  const tookMs = performance.now() - startedAt;
  const distinct = new Set(fine.received.map(({ path, headers }) => `${path} ${String(headers["webhook-id"])}`));
  expect(distinct.size).toBe((endpoints - hanging) * events);
  return { tookMs, hangingConnections: dead.connections() };
}

describe("a thousand endpoints, a hundred of which hang", () => {
  it("leave the other nine hundred unaffected: all has arrived long before the first deadline", async () => {
    const alone = await deliverAll(0);
    const beside = await deliverAll(hanging);
    expect(beside.hangingConnections).toBeGreaterThanOrEqual(hanging);
    // The hanging ones are held for 15 s; the machine is shared, so the bound is generous, and far below that.
    expect(beside.tookMs).toBeLessThan(Math.max(3 * alone.tookMs, 5_000));
  });
});
