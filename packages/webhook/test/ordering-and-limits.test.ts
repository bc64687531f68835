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

describe("deliveries in strict order", () => {
  it("keep it through pauses, dead letters and what is sent again: the oldest unfinished is next", async () => {
    const time = fakeTime();
    const dead = new Set<unknown>(["b", "d"]);
    const to = await listening((got, response) =>
      response
        .writeHead(
          dead.has(dataOf(got)) ? 500 : 204,
          dead.has(dataOf(got)) ? { "webhook-delivery": "abort-message" } : {},
        )
        .end(),
    );
    const at = house({ allow: [to.origin], surroundings: time });
    const { webhooks, broker } = at;
    await webhooks.endpoints.put({ id: "partner", url: to.origin, ordering: "strict" });
    for (const data of ["a", "b", "c", "d"]) await broker.publish("x.y", data);
    await play(time, time.clock.now() + second, at);
    expect(to.received.map(dataOf)).toEqual(["a", "b", "c", "d"]);
    await webhooks.endpoints.pause("partner");
    for (const data of ["e", "f"]) await broker.publish("x.y", data);
    dead.clear();
    expect(await webhooks.deadLetters.redeliver({ endpointId: "partner" })).toBe(2);
    await play(time, time.clock.now() + second, at);
    expect(to.received).toHaveLength(4);
    await webhooks.endpoints.unpause("partner");
    await play(time, time.clock.now() + second, at);
    expect(to.received.slice(4).map(dataOf)).toEqual(["b", "d", "e", "f"]);
  });

  it("are never two at once, whatever the concurrency is, and what is sent again does not overtake who is tried", async () => {
    const held: (() => void)[] = [];
    const to = await listening((_, response) => held.push(() => response.writeHead(204).end()));
    const at = house({ allow: [to.origin] });
    const { webhooks, broker } = at;
    await webhooks.endpoints.put({ id: "partner", url: to.origin, ordering: "strict", concurrency: 64 });
    const first = await broker.publish("x.y", 1);
    for (const data of [2, 3]) await broker.publish("x.y", data);
    for (let count = 1; count <= 3; count += 1) {
      await to.count(count);
      await turns(8);
      expect(held).toHaveLength(1);
      held.shift()?.();
      if (count === 1) await at.seen("webhookAttempted");
    }
    await at.seen("webhookAttempted", 3);
    expect(await webhooks.deliveries.redeliver({ eventId: first.id })).toBe(1);
    await to.count(4);
    expect(to.received.map(dataOf)).toEqual([1, 2, 3, 1]);
    held.shift()?.();
  });
});

describe("limits of an endpoint", () => {
  it("lowered while it is busy, its concurrency holds once what is under way has ended", async () => {
    const held: (() => void)[] = [];
    let isHolding = false;
    const to = await listening((_, response) => {
      const answer = (): void => void response.writeHead(204).end();
      if (isHolding) held.push(answer);
      else answer();
    });
    const at = house({ allow: [to.origin] });
    const put = (concurrency: number): Promise<unknown> =>
      at.webhooks.endpoints.put({ id: "partner", url: to.origin, concurrency });
    await put(6);
    for (let count = 0; count < 10; count += 1) await at.broker.publish("a.b", count);
    await at.seen("webhookAttempted", 10);
    isHolding = true;
    for (let count = 0; count < 20; count += 1) await at.broker.publish("a.b", count);
    await to.count(16);
    await turns(8);
    expect(held).toHaveLength(6);
    await put(2);
    for (let left = 5; left >= 2; left -= 1) {
      held.shift()?.();
      await at.seen("webhookAttempted", 10 + 6 - left);
      await turns(8);
      expect(at.webhooks.inFlight).toBe(left);
    }
    // From now on one comes for each that goes.
    held.shift()?.();
    await to.count(17);
    await turns(8);
    expect(at.webhooks.inFlight).toBe(2);
    isHolding = false;
    for (const answer of held.splice(0)) answer();
    await to.count(30);
  });

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
    const held: (() => unknown)[] = [];
    let most = 0;
    let isHolding = false;
    const to = await listening((_, response) => {
      const answer = (): unknown => response.writeHead(204).end();
      if (!isHolding) return void answer();
      held.push(answer);
      most = Math.max(most, held.length);
      // Whoever may be on the way as well has a few turns to get here.
      if (held.length === 3) void turns(4).then(() => held.splice(0).forEach((answer) => answer()));
    });
    const at = house({ allow: [to.origin], maxInFlight: 3 });
    for (let each = 0; each < 5; each += 1)
      await at.webhooks.endpoints.put({ id: `e${each}`, url: `${to.origin}/${each}` });
    await at.broker.publish("a.b", 0);
    await to.count(5);
    await settled(at);
    isHolding = true;
    for (let count = 1; count <= 30; count += 1) void at.broker.publish("a.b", count);
    await to.count(155);
    expect(most).toBe(3);
    expect(new Set(to.received.map((got) => `${got.path} ${String(dataOf(got))}`)).size).toBe(155);
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
