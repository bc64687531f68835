import { MemoryStore } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { fakeTime } from "./fake-time.ts";
import { dataOf, house, idsOf, listening, listeningRaw, play, settled, verify } from "./house.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

describe("a delivery that fails", () => {
  it("is tried again with the same id, a new timestamp and a new signature", async () => {
    const time = fakeTime();
    const to = await listening((_, response) => response.writeHead(to.received.length < 3 ? 500 : 204).end());
    const at = house({ allow: [to.origin], surroundings: time });
    const { keys } = await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const { id } = await at.broker.publish("a.b", {});
    await play(time, time.clock.now() + 5 * minute + 10 * second, at);
    expect(idsOf(to)).toEqual([id, id, id]);
    const stamps = to.received.map(({ headers }) => Number(headers["webhook-timestamp"]));
    expect(stamps.map((stamp) => stamp - (stamps[0] ?? 0))).toEqual([0, 5, 305]);
    expect(new Set(to.received.map(({ headers }) => headers["webhook-signature"])).size).toBe(3);
    for (const got of to.received) await verify(got, keys, Number(got.headers["webhook-timestamp"]) * second);
    expect(await at.webhooks.deliveries.get("partner", id)).toMatchObject({
      state: { kind: "succeeded" },
      attempts: [
        { category: "http_500", status: 500 },
        { category: "http_500" },
        { category: "succeeded", status: 204 },
      ],
    });
  });

  it("waits as Retry-After says, between one and two times the schedule, a minute at least after 429", async () => {
    const time = fakeTime();
    const to = await listening((_, response) =>
      response
        .writeHead(to.received.length === 1 ? 429 : 503, { "retry-after": to.received.length === 1 ? "7" : "360" })
        .end(),
    );
    const at = house({ allow: [to.origin], surroundings: time });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await at.broker.publish("a.b", {});
    await play(time, time.clock.now() + 8 * minute, at);
    const stamps = to.received.map(({ headers }) => Number(headers["webhook-timestamp"]));
    expect(stamps.map((stamp) => stamp - (stamps[0] ?? 0))).toEqual([0, 60, 60 + 360]);
  });

  it("is tried again in time while another endpoint hangs, whose attempt began after the failure", async () => {
    const time = fakeTime();
    let failures = 1;
    const failing = await listening((_, response) => response.writeHead((failures -= 1) >= 0 ? 500 : 204).end());
    const answers: (() => void)[] = [];
    const hanging = await listening((_, response) => answers.push(() => response.writeHead(204).end()));
    const at = house({ allow: [failing.origin, hanging.origin], surroundings: time });
    await at.webhooks.endpoints.put({ id: "failing", url: failing.origin, types: ["failing.*"] });
    await at.webhooks.endpoints.put({ id: "hanging", url: hanging.origin, types: ["hanging.*"] });
    await at.broker.publish("failing.first", 1);
    await failing.count(1);
    await settled(at);
    await time.advanceTo(time.clock.now() + 1_000);
    await at.broker.publish("hanging.first", 1);
    await hanging.count(1);
    // Five seconds after the failure and a fifth of them at most; the attempt that hangs has fifteen.
    await time.advanceTo(time.clock.now() + 5_100);
    await failing.count(2);
    for (const answer of answers) answer();
  });

  it("to a receiver that is dead for 48 hours is tried eight times, and is not lost", async () => {
    const time = fakeTime();
    const startedAt = time.clock.now();
    let isDead = true;
    const to = await listeningRaw({
      onRequest: (socket) => (isDead ? socket.destroy() : socket.write("HTTP/1.1 204 No Content\r\n\r\n")),
    });
    const at = house({ allow: [to.origin], surroundings: time });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const { id } = await at.broker.publish("a.b", {});
    const realStart = performance.now();
    await play(time, startedAt + 48 * hour, at);
    expect(performance.now() - realStart).toBeLessThan(5_000);
    const before = await at.webhooks.deliveries.get("partner", id);
    expect(before).toMatchObject({ attemptCount: 8, state: { kind: "pending" } });
    expect(before?.attempts.map((attempt) => attempt.at - startedAt)).toEqual([
      0, 5_000, 305_000, 2_105_000, 9_305_000, 27_305_000, 63_305_000, 113_705_000,
    ]);
    isDead = false;
    await play(time, startedAt + 60 * hour, at);
    expect(await at.webhooks.deliveries.get("partner", id)).toMatchObject({
      attemptCount: 9,
      state: { kind: "succeeded" },
    });
  });

  it("for good becomes a dead letter after the last attempt, and can be sent again", async () => {
    const time = fakeTime();
    let isDead = true;
    const to = await listening((_, response) =>
      response.writeHead(isDead ? 500 : 204).end(isDead ? "no such table" : ""),
    );
    const at = house({ allow: [to.origin], surroundings: time });
    const { webhooks } = at;
    await webhooks.endpoints.put({ id: "partner", url: to.origin });
    const { id } = await at.broker.publish("a.b", {});
    await play(time, time.clock.now() + 80 * hour, at);
    expect(to.received).toHaveLength(10);
    const { deliveries } = await webhooks.deadLetters.list({ endpointId: "partner" });
    expect(deliveries).toMatchObject([
      { event: { id }, attemptCount: 10, state: { kind: "dead", reason: "exhausted" } },
    ]);
    expect((await webhooks.deadLetters.inspect("partner", id))?.attempts.at(-1)).toMatchObject({
      category: "http_500",
      answer: "no such table",
    });
    expect(at.all("webhookDeliveryDead")).toMatchObject([{ endpointId: "partner", eventId: id, reason: "exhausted" }]);
    isDead = false;
    expect(await webhooks.deadLetters.redeliver({ endpointId: "partner", eventId: id })).toBe(1);
    await play(time, time.clock.now() + minute, at);
    expect(await webhooks.deadLetters.inspect("partner", id)).toBeNull();
    expect(await webhooks.deliveries.get("partner", id)).toMatchObject({ state: { kind: "succeeded" } });
    expect(idsOf(to)).toEqual(Array.from({ length: 11 }, () => id));
  });

  it("is given up at the receiver's wish, without harm to the others", async () => {
    const to = await listening((got, response) =>
      response
        .writeHead(dataOf(got) === 1 ? 422 : 204, dataOf(got) === 1 ? { "webhook-delivery": "abort-message" } : {})
        .end(),
    );
    const at = house({ allow: [to.origin] });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    for (const data of [1, 2, 3]) await at.broker.publish("a.b", data);
    await at.seen("webhookAttempted", 3);
    const { deliveries } = await at.webhooks.deadLetters.list();
    expect(deliveries).toMatchObject([{ event: { json: "1" }, state: { reason: "aborted" }, attemptCount: 1 }]);
    expect(await at.webhooks.endpoints.get("partner")).toMatchObject({ state: { kind: "active" } });
  });
});

describe("an endpoint that is gone", () => {
  it.each([
    ["answers 410", 410, {}],
    ["says so in a header", 500, { "webhook-delivery": "disable" }],
    ["says so with a success", 200, { "webhook-delivery": "disable" }],
  ])("%s, is turned off, and gets what it missed when it is turned on again", async (_, status, headers) => {
    let isGone = true;
    const to = await listening((_got, response) =>
      isGone ? response.writeHead(status, headers).end() : response.writeHead(204).end(),
    );
    const at = house({ allow: [to.origin] });
    const { broker, webhooks } = at;
    await webhooks.endpoints.put({ id: "partner", url: to.origin, ordering: "strict", types: ["a.b"] });
    await broker.publish("a.b", 1);
    await at.seen("webhookEndpointDisabled");
    expect(await webhooks.endpoints.get("partner")).toMatchObject({ state: { kind: "disabled", reason: "gone" } });
    await broker.publish("a.b", 2);
    await broker.publish("c.d", 0);
    await broker.publish("a.b", 3);
    await settled(at);
    expect(to.received).toHaveLength(1);
    isGone = false;
    await webhooks.endpoints.unpause("partner");
    await broker.publish("a.b", 4);
    await to.count(4);
    expect(to.received.slice(1).map(dataOf)).toEqual([2, 3, 4]);
  });

  it("by five days of only failures is turned off; one success starts the count anew", async () => {
    const time = fakeTime();
    let isDead = true;
    const to = await listening((_, response) => response.writeHead(isDead ? 500 : 204).end());
    const at = house({ allow: [to.origin], surroundings: time });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const publishHourly = async (hours: number): Promise<void> => {
      for (let count = 0; count < hours; count += 1) {
        await at.broker.publish("a.b", count);
        await play(time, time.clock.now() + hour, at);
      }
    };
    await publishHourly(96);
    isDead = false;
    await publishHourly(12);
    isDead = true;
    await publishHourly(110);
    expect(await at.webhooks.endpoints.get("partner")).toMatchObject({ state: { kind: "active" } });
    await publishHourly(14);
    expect(await at.webhooks.endpoints.get("partner")).toMatchObject({
      state: { kind: "disabled", reason: "failing" },
    });
    expect(at.all("webhookEndpointDisabled")).toHaveLength(1);
  });
});

describe("an endpoint that has failed for days", () => {
  it("is turned off in time although the service was restarted again and again", async () => {
    const time = fakeTime();
    const store = new MemoryStore({ surroundings: time });
    const to = await listening((_, response) => response.writeHead(500).end());
    const startedAt = time.clock.now();
    const lives: number[] = [];
    for (let life = 1; life <= 6; life += 1) {
      const at = house({ allow: [to.origin], store, surroundings: time });
      if (life === 1) await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
      while (time.clock.now() < startedAt + life * 22 * hour && at.all("webhookEndpointDisabled").length === 0) {
        await at.broker.publish("a.b", life);
        await play(time, time.clock.now() + hour, at);
      }
      lives.push(at.all("webhookEndpointDisabled").length);
      await at.webhooks.close();
    }
    expect(lives).toEqual([0, 0, 0, 0, 0, 1]);
    expect(time.clock.now() - startedAt).toBeLessThan(5 * 24 * hour + 2 * hour);
  });
});

describe("an endpoint that does nothing but fail", () => {
  it("is given a rest, asked by one probe, and gets its backlog at a rising rate", async () => {
    const time = fakeTime();
    let isDead = true;
    const to = await listening((_, response) => response.writeHead(isDead ? 500 : 204).end());
    const at = house({ allow: [to.origin], surroundings: time });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin, concurrency: 32 });
    for (let count = 0; count < 1_000; count += 1) void at.broker.publish("a.b", count);
    await play(time, time.clock.now() + 1_000, at);
    expect(at.all("webhookEndpointRested")).toMatchObject([{ endpointId: "partner" }]);
    const failed = to.received.length;
    expect(failed).toBeLessThan(13);
    await play(time, time.clock.now() + 28_000, at);
    expect(to.received).toHaveLength(failed);
    // A probe that fails doubles the rest.
    await play(time, time.clock.now() + 2_000, at);
    expect(to.received).toHaveLength(failed + 1);
    await play(time, time.clock.now() + 57_000, at);
    expect(to.received).toHaveLength(failed + 1);
    isDead = false;
    while (at.all("webhookEndpointRecovered").length === 0) await play(time, time.clock.now() + 100, at);
    const perSecond: number[] = [];
    for (let second = 0; second < 6; second += 1) {
      const before = to.received.length;
      await play(time, time.clock.now() + 1_000, at);
      perSecond.push(to.received.length - before);
    }
    const [first = 0, , , fourth = 0] = perSecond;
    expect(first).toBeLessThanOrEqual(15);
    expect(fourth).toBeGreaterThan(first * 3);
    expect(perSecond.toSorted((a, b) => a - b)).toEqual(perSecond);
    await play(time, time.clock.now() + 60_000, at);
    expect(new Set(to.received.slice(failed + 1).map(dataOf)).size).toBe(1_000);
  });
});
