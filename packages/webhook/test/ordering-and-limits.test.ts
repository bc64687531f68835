import { MemoryStore } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { fakeTime, turns } from "./fake-time.ts";
import { dataOf, house, listening, play, settled } from "./house.ts";

const second = 1_000;

describe("ordering", () => {
  it("strict holds everything behind a delivery that waits; per subject holds only its own", async () => {
    for (const ordering of ["strict", "subject"] as const) {
      const time = fakeTime();
      let failures = 1;
      const to = await listening((got, response) =>
        response.writeHead(dataOf(got) === "a1" && (failures -= 1) >= 0 ? 500 : 204).end(),
      );
      const at = house({ allow: [to.origin], surroundings: time });
      await at.webhooks.endpoints.put({ id: "partner", url: to.origin, ordering });
      for (const [data, subject] of [
        ["a1", "a"],
        ["a2", "a"],
        ["b1", "b"],
        ["c1", undefined],
      ] as const)
        await at.broker.publish("x.y", data, { subject });
      await play(time, time.clock.now() + second, at);
      expect(to.received.map(dataOf).toSorted()).toEqual(ordering === "strict" ? ["a1"] : ["a1", "b1", "c1"]);
      await play(time, time.clock.now() + 10 * second, at);
      const order = to.received.map(dataOf);
      expect(order.filter((data) => String(data).startsWith("a"))).toEqual(["a1", "a1", "a2"]);
      if (ordering === "strict") expect(order).toEqual(["a1", "a1", "a2", "b1", "c1"]);
    }
  });
});

describe("limits of an endpoint", () => {
  it("its concurrency is reached, and not exceeded", async () => {
    let now = 0;
    let most = 0;
    const to = await listening((_, response) => {
      now += 1;
      most = Math.max(most, now);
      setImmediate(() => {
        now -= 1;
        response.writeHead(204).end();
      });
    });
    const at = house({ allow: [to.origin] });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin, concurrency: 4 });
    for (let count = 0; count < 200; count += 1) void at.broker.publish("a.b", count);
    await to.count(200);
    expect(most).toBeLessThanOrEqual(4);
    expect(most).toBeGreaterThan(1);
    expect(new Set(to.received.map(dataOf)).size).toBe(200);
  });

  it("with the others it has at most `maxInFlight` attempts at once, and none of them is passed over", async () => {
    const held: (() => void)[] = [];
    let most = 0;
    const to = await listening((_, response) => {
      held.push(() => response.writeHead(204).end());
      most = Math.max(most, held.length);
      // Whoever may be on the way as well has a few turns to get here.
      if (held.length === 3) void turns(4).then(() => held.splice(0).forEach((answer) => answer()));
    });
    const at = house({ allow: [to.origin], maxInFlight: 3 });
    for (let each = 0; each < 5; each += 1)
      await at.webhooks.endpoints.put({ id: `e${each}`, url: `${to.origin}/${each}` });
    for (let count = 0; count < 30; count += 1) void at.broker.publish("a.b", count);
    await to.count(150);
    expect(most).toBe(3);
    expect(new Set(to.received.map((got) => `${got.path} ${String(dataOf(got))}`)).size).toBe(150);
  });

  it("its rate holds by the clock", async () => {
    const time = fakeTime();
    const to = await listening();
    const at = house({ allow: [to.origin], surroundings: time });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin, ratePerSecond: 10 });
    for (let count = 0; count < 100; count += 1) await at.broker.publish("a.b", count);
    await play(time, time.clock.now() + 5 * second, at);
    expect(to.received.length).toBeGreaterThanOrEqual(48);
    expect(to.received.length).toBeLessThanOrEqual(52);
    await play(time, time.clock.now() + 6 * second, at);
    expect(to.received).toHaveLength(100);
  });

  it("its backlog is bounded: what is beyond is a dead letter at once, and the others go on", async () => {
    const to = await listening();
    const fine = await listening();
    const at = house({ allow: [to.origin, fine.origin], store: new MemoryStore({ maxPerEndpoint: 10 }) });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await at.webhooks.endpoints.put({ id: "fine", url: fine.origin });
    await at.webhooks.endpoints.pause("partner");
    for (let count = 0; count < 25; count += 1) {
      await at.broker.publish("a.b", count);
      await fine.count(count + 1);
    }
    await settled(at);
    expect(await at.webhooks.deliveries.backlog("partner")).toMatchObject({ pending: 10, dead: 15 });
    expect((await at.webhooks.deadLetters.list({ endpointId: "partner" })).deliveries[0]?.state).toMatchObject({
      reason: "overflow",
    });
    expect(at.all("webhookOverflowed").reduce((sum, { count }) => sum + count, 0)).toBe(15);
    expect(fine.received).toHaveLength(25);
  });
});
