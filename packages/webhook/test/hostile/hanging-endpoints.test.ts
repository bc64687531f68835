import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { fakeTime, turns } from "../fake-time.ts";
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
    await expect.poll(() => dead.connections()).toBeGreaterThanOrEqual(2 * hanging);
    expect(dead.connections()).toBe(2 * hanging);
  }, 100_000);
});

describe("more hanging endpoints than attempts may be made at once", () => {
  const maxInFlight = 32;

  it("leave those alone whose last attempt succeeded, and come in turn with those not known yet", async () => {
    const time = fakeTime();
    const fine = await listening();
    const held = new Set<ServerResponse>();
    const dead = await listening((_, response) => held.add(response));
    const hanging = (): number => new Set(dead.received.map(({ path }) => path)).size;
    const attempt = { deadlineMs: 5_000 };
    const at = house({ allow: [fine.origin, dead.origin], maxInFlight, attempt, surroundings: time });
    const { endpoints } = at.webhooks;
    await endpoints.put({ id: "known", url: `${fine.origin}/known`, types: ["a.b"] });
    await at.broker.publish("a.b", "first");
    await fine.count(1);
    for (let index = 0; index < 2 * maxInFlight; index += 1)
      await endpoints.put({ id: `hanging-${index}`, url: `${dead.origin}/${index}`, types: ["a.all"] });
    await endpoints.put({ id: "unknown", url: `${fine.origin}/unknown`, types: ["a.all"] });
    await at.broker.publish("a.all", 0);
    await dead.count(maxInFlight / 2);
    for (let index = 1; index <= 20; index += 1) await at.broker.publish("a.b", index);
    await fine.count(21);
    expect(at.webhooks.inFlight).toBeLessThanOrEqual((maxInFlight * 3) / 4);
    while (hanging() < 2 * maxInFlight) await time.advanceTo(time.clock.now() + 5_000).then(() => turns(4));
    while (fine.received.length < 22) await time.advanceTo(time.clock.now() + 5_000).then(() => turns(4));
    expect(fine.received.at(-1)).toMatchObject({ path: "/unknown" });
    for (const response of held) response.destroy();
  });
});
