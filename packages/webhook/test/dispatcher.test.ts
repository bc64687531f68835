import { formatPosition, MemoryStore, StarcastError, type Delivery, type DeliveryStore } from "@starcast/core";
import { makeKey, makeKeyPair } from "@starcast/standard-webhooks";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { WebhookDispatcher } from "../src/index.ts";
import { fakeTime } from "./fake-time.ts";
import { dataOf, house, idsOf, listening, listeningRaw, play, settled, verify } from "./house.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

describe("an endpoint that was put", () => {
  it("gets every event that it wants, signed with its keys", async () => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin] });
    const { keys } = await webhooks.endpoints.put({
      id: "partner",
      url: `${to.origin}/in?a=1`,
      types: ["model.*"],
      subjects: ["eu/*"],
    });
    const event = await broker.publish("model.added", { name: "ä" }, { subject: "eu/1" });
    await broker.publish("model.added", {}, { subject: "us/1" });
    await broker.publish("price.changed", {}, { subject: "eu/1" });
    await broker.close();
    expect(to.received).toHaveLength(1);
    const [got] = to.received;
    const { id, timestamp } = event;
    expect(JSON.parse(String(got?.body))).toEqual({
      id,
      type: "model.added",
      timestamp,
      subject: "eu/1",
      data: { name: "ä" },
    });
    expect(got).toMatchObject({ path: "/in?a=1", headers: { "content-type": "application/json", "webhook-id": id } });
    expect(await verify(got, keys)).toMatchObject({ id });
  });

  it("is understood by the reference implementation", async () => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin] });
    const { keys } = await webhooks.endpoints.put({ id: "partner", url: to.origin });
    const event = await broker.publish("model.added", { name: "日本" });
    await to.count(1);
    const [got] = to.received;
    expect(new Webhook(String(keys[0])).verify(got?.body ?? "", got?.headers as Record<string, string>)).toMatchObject({
      id: event.id,
    });
  });

  it("gets nothing from before it was put, in order of the log or not", async () => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin] });
    for (let count = 0; count < 20; count += 1) await broker.publish("a.b", count);
    await webhooks.endpoints.put({ id: "late", url: to.origin, ordering: "strict" });
    for (let count = 20; count < 25; count += 1) await broker.publish("a.b", count);
    await broker.close();
    expect(to.received.map(dataOf)).toEqual([20, 21, 22, 23, 24]);
  });

  it("signs with ed25519, with both kinds of keys, and with headers of its own", async () => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin] });
    const pair = await makeKeyPair();
    const shared = makeKey();
    const { keys, keyLabels, headerNames } = await webhooks.endpoints.put({
      id: "both",
      url: to.origin,
      keys: [pair.privateKey, shared],
      headers: { Authorization: "Bearer hunter2" },
    });
    expect(keys).toEqual([pair.publicKey, shared]);
    expect(JSON.stringify([keyLabels, headerNames])).not.toMatch(new RegExp(`${shared.slice(12)}|hunter2`));
    await broker.publish("a.b", {});
    await to.count(1);
    const [got] = to.received;
    expect(got?.headers["webhook-signature"]).toMatch(/^v1a,\S+ v1,\S+$/);
    expect(got?.headers["authorization"]).toBe("Bearer hunter2");
    await verify(got, [pair.publicKey]);
    await verify(got, [shared]);
  });

  it.each([
    ["data", "application/json", { n: 1 }],
    [
      "cloudevents",
      "application/cloudevents+json; charset=utf-8",
      expect.objectContaining({
        specversion: "1.0",
        source: "/catalog",
        type: "a.b",
        subject: "ü 1",
        data: { n: 1 },
      }) as unknown,
    ],
    ["cloudevents-binary", "application/json", { n: 1 }],
  ] as const)("gets its events as %s", async (format, contentType, body) => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin], source: "/catalog" });
    await webhooks.endpoints.put({ id: "formatted", url: to.origin, format });
    const { id } = await broker.publish("a.b", { n: 1 }, { subject: "ü 1" });
    await to.count(1);
    const [got] = to.received;
    expect(got?.headers["content-type"]).toBe(contentType);
    expect(JSON.parse(String(got?.body))).toEqual(body);
    if (format === "cloudevents-binary") {
      expect(got?.headers).toMatchObject({
        "ce-id": id,
        "ce-source": "/catalog",
        "ce-type": "a.b",
        "ce-subject": "%C3%BC%201",
        "ce-specversion": "1.0",
      });
    }
  });

  it("is refused what it cannot have", async () => {
    const { webhooks } = house();
    const put = (options: object): Promise<unknown> =>
      webhooks.endpoints.put({ id: "a", url: "https://hooks.partner.com/", ...options });
    await expect(put({ url: "http://hooks.partner.com/" })).rejects.toThrow("Expected `url` to be an https URL");
    await expect(put({ url: "http://localhost:4000/" })).rejects.toThrow("Expected `url`");
    await expect(put({ id: "a b" })).rejects.toThrow("Expected `id`");
    await expect(put({ format: "cloudevents" })).rejects.toThrow("Expected the dispatcher's `source`");
    await expect(put({ typs: ["a.b"] })).rejects.toThrow("did you mean `types`?");
    await expect(put({ types: ["a"] })).rejects.toThrow("Expected a type pattern");
    await expect(put({ headers: { "webhook-id": "x" } })).rejects.toThrow("Expected `headers`");
    await expect(put({ headers: { "x-a": "b\r\nc: d" } })).rejects.toThrow("Expected `headers.x-a`");
    await expect(put({ keys: ["whsec_short"] })).rejects.toThrow("whsec_");
    await expect(webhooks.endpoints.rotate("nobody")).rejects.toMatchObject({ code: "not_found" });
    await expect(webhooks.endpoints.test("nobody")).rejects.toMatchObject({ code: "not_found" });
    expect(await webhooks.endpoints.list()).toEqual([]);
  });

  it("keeps its keys and its state when it is put again", async () => {
    const { webhooks } = house();
    const first = await webhooks.endpoints.put({ id: "a", url: "https://one.partner.com/" });
    await webhooks.endpoints.pause("a");
    const again = await webhooks.endpoints.put({ id: "a", url: "https://two.partner.com/", types: ["a.*"] });
    expect(again).toMatchObject({
      keys: first.keys,
      url: "https://two.partner.com/",
      types: ["a.*"],
      state: { kind: "paused" },
      startsAfter: first.startsAfter,
    });
    expect((await webhooks.endpoints.list()).map(({ id }) => id)).toEqual(["a"]);
  });
});

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

describe("the service", () => {
  it("pauses an endpoint: its deliveries wait, and come when it is unpaused", async () => {
    const to = await listening();
    const at = house({ allow: [to.origin] });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin, ordering: "strict" });
    await at.webhooks.endpoints.pause("partner");
    for (const data of [1, 2, 3]) await at.broker.publish("a.b", data);
    await settled(at);
    expect(to.received).toHaveLength(0);
    expect(await at.webhooks.deliveries.backlog("partner")).toMatchObject({ pending: 3 });
    await at.webhooks.endpoints.unpause("partner");
    await to.count(3);
    expect(to.received.map(dataOf)).toEqual([1, 2, 3]);
  });

  it("rotates keys: both sign until the overlap ends, then only the new one", async () => {
    const time = fakeTime(Date.now());
    const to = await listening();
    const at = house({ allow: [to.origin], surroundings: time });
    const {
      keys: [old],
    } = await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const {
      keys: [fresh],
    } = await at.webhooks.endpoints.rotate("partner");
    await at.broker.publish("a.b", 1);
    await settled(at);
    await verify(to.received[0], [String(old)], time.clock.now());
    await verify(to.received[0], [String(fresh)], time.clock.now());
    await time.advanceTo(time.clock.now() + 24 * hour);
    await at.broker.publish("a.b", 2);
    await settled(at);
    await expect(verify(to.received[1], [String(old)], time.clock.now())).rejects.toMatchObject({
      code: "no_matching_key",
    });
    await verify(to.received[1], [String(fresh)], time.clock.now());
  });

  it("removes an endpoint, and its deliveries with it", async () => {
    const to = await listening();
    const at = house({ allow: [to.origin] });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await at.webhooks.endpoints.pause("partner");
    const { id } = await at.broker.publish("a.b", 1);
    await settled(at);
    expect(await at.webhooks.endpoints.remove("partner")).toBe(true);
    expect(await at.webhooks.endpoints.remove("partner")).toBe(false);
    expect(await at.webhooks.deliveries.get("partner", id)).toBeNull();
    await at.broker.close();
    expect(to.received).toHaveLength(0);
  });

  it("tests an endpoint without leaving a trace", async () => {
    const to = await listening((_, response) => response.writeHead(401).end("who are you?"));
    const { webhooks } = house({ allow: [to.origin] });
    const { keys } = await webhooks.endpoints.put({ id: "partner", url: to.origin });
    await webhooks.endpoints.pause("partner");
    expect(await webhooks.endpoints.test("partner")).toMatchObject({
      category: "http_401",
      status: 401,
      answer: "who are you?",
    });
    expect(to.received).toHaveLength(1);
    await verify(to.received[0], keys);
    expect((await webhooks.deliveries.list({})).deliveries).toEqual([]);
  });

  it("finds deliveries by endpoint, event, state and time", async () => {
    const to = await listening((got, response) => response.writeHead(dataOf(got) === 1 ? 410 : 204).end());
    const other = await listening();
    const at = house({ allow: [to.origin, other.origin] });
    await at.webhooks.endpoints.put({ id: "other", url: other.origin });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const { id } = await at.broker.publish("a.b", 1);
    await at.seen("webhookEndpointDisabled");
    await other.count(1);
    await settled(at);
    const found = async (selection: object): Promise<string[]> =>
      (await at.webhooks.deliveries.list(selection)).deliveries
        .map(({ endpointId, state }: Delivery) => `${endpointId} ${state.kind}`)
        .toSorted();
    expect(await found({ eventId: id })).toEqual(["other succeeded", "partner dead"]);
    expect(await found({ endpointId: "partner" })).toEqual(["partner dead"]);
    expect(await found({ states: ["succeeded"] })).toEqual(["other succeeded"]);
    expect(await found({ until: 0 })).toEqual([]);
  });
});

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

describe("a process that freezes in the middle of an attempt", () => {
  it("is overtaken when its claim has ended: the same id is sent again, and what it says later changes nothing", async () => {
    const [frozen, lively] = [fakeTime(), fakeTime()];
    const store = new MemoryStore({ surroundings: lively });
    let answers = 0;
    const to = await listening((_, response) => {
      answers += 1;
      if (answers > 1) response.writeHead(204).end();
    });
    const first = house({ allow: [to.origin], store, surroundings: frozen });
    await first.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const { id } = await first.broker.publish("a.b", {});
    await to.count(1);
    const other = house({ allow: [to.origin], store, surroundings: lively });
    await play(lively, lively.clock.now() + 29 * second, other);
    expect(to.received).toHaveLength(1);
    await play(lively, lively.clock.now() + 2 * second, other);
    expect(idsOf(to)).toEqual([id, id]);
    const delivered = await store.deliveries.get("partner", id);
    expect(delivered).toMatchObject({ state: { kind: "succeeded" }, attempts: [{ category: "succeeded" }] });
    await frozen.advanceTo(frozen.clock.now() + minute);
    await settled(first);
    expect(await store.deliveries.get("partner", id)).toEqual(delivered);
    expect(first.all("webhookStoreFailed")).toEqual([]);
    expect(to.received).toHaveLength(2);
  });
});

describe("a store that refuses for a while", () => {
  function failing(operation: "put" | "succeed" | "claimDue", times: number): MemoryStore {
    const store = new MemoryStore();
    const deliveries: DeliveryStore = store.deliveries;
    const original = deliveries[operation].bind(deliveries) as (...given: unknown[]) => Promise<unknown>;
    let left = times;
    Object.assign(deliveries, {
      [operation]: (...given: unknown[]) => {
        left -= 1;
        return left >= 0 ? Promise.reject(new StarcastError("store_failed", "disk full")) : original(...given);
      },
    });
    return store;
  }

  it.each([
    ["put", "put", 0],
    ["claimDue", "claimDue", 0],
  ] as const)("loses nothing when it cannot %s", async (operation, told, repeats) => {
    const to = await listening();
    const at = house({ allow: [to.origin], store: failing(operation, 2) });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    for (let count = 0; count < 20; count += 1) await at.broker.publish("a.b", count);
    await to.count(20 + repeats);
    expect(new Set(to.received.map(dataOf)).size).toBe(20);
    expect(at.all("webhookStoreFailed").map((moment) => moment.operation)).toEqual([told, told]);
  });

  it("has a delivery sent again whose success it did not keep", async () => {
    const time = fakeTime();
    const to = await listening();
    const at = house({ allow: [to.origin], store: failing("succeed", 1), surroundings: time });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    const { id } = await at.broker.publish("a.b", 1);
    await play(time, time.clock.now() + minute, at);
    expect(idsOf(to)).toEqual([id, id]);
    expect(await at.webhooks.deliveries.get("partner", id)).toMatchObject({ state: { kind: "succeeded" } });
  });
});

describe("an endpoint of an earlier life of the service", () => {
  it("is not called when the rules have become stricter since, and says so in its attempts", async () => {
    const store = new MemoryStore();
    const to = await listening();
    const before = house({ allow: [to.origin], store });
    await before.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await before.webhooks.close();
    const after = house({ store });
    const { id } = await after.broker.publish("a.b", 1);
    expect(await after.seen("webhookAttempted")).toMatchObject({
      endpointId: "partner",
      eventId: id,
      category: "address_refused",
    });
    expect(to.received).toHaveLength(0);
    expect(await after.webhooks.endpoints.pause("partner")).toMatchObject({ state: { kind: "paused" } });
  });

  it("is told and left out when its record cannot be read", async () => {
    const store = new MemoryStore();
    for (const [id, value] of [
      ["junk", "{"],
      ["old", '{"version":0}'],
      ["empty", '{"version":1,"secrets":{"keys":[]}}'],
    ] as const) {
      await store.records.put(`webhooks/endpoints/${id}`, value);
    }
    const at = house({ store });
    expect(await at.webhooks.endpoints.list()).toEqual([]);
    expect(
      at
        .all("webhookEndpointUnreadable")
        .map(({ endpointId }) => endpointId)
        .toSorted(),
    ).toEqual(["empty", "junk", "old"]);
    for (const { error } of at.all("webhookEndpointUnreadable")) expect(error).toMatchObject({ code: "store_corrupt" });
  });
});

describe("several dispatchers of one broker", () => {
  it("need names of their own, and endpoint ids of their own", async () => {
    const to = await listening();
    const { broker, webhooks } = house({ allow: [to.origin] });
    expect(() => new WebhookDispatcher(broker)).toThrow(expect.objectContaining({ code: "name_taken" }));
    const other = new WebhookDispatcher(broker, { name: "internal", allow: [to.origin] });
    await webhooks.endpoints.put({ id: "one", url: `${to.origin}/one` });
    await other.endpoints.put({ id: "two", url: `${to.origin}/two` });
    await expect(other.endpoints.put({ id: "one", url: to.origin })).rejects.toMatchObject({ code: "name_taken" });
    await expect(other.endpoints.remove("one")).rejects.toMatchObject({ code: "name_taken" });
    expect((await other.endpoints.list()).map(({ id }) => id)).toEqual(["two"]);
    await broker.publish("a.b", 1);
    await broker.close();
    expect(to.received.map(({ path }) => path).toSorted()).toEqual(["/one", "/two"]);
  });
});

describe("outcomes as events", () => {
  it("are published if wanted, and never for themselves", async () => {
    const gone = await listening((_, response) => response.writeHead(410).end());
    const to = await listening();
    const at = house({ allow: [gone.origin, to.origin], publishOutcomes: true });
    await at.webhooks.endpoints.put({ id: "gone", url: gone.origin });
    await at.webhooks.endpoints.put({ id: "watcher", url: to.origin, types: ["webhook.**"] });
    const { id } = await at.broker.publish("a.b", 1);
    await to.count(2);
    const told = to.received.map(({ body }) => JSON.parse(String(body)) as { type: string; data: unknown });
    expect(told.toSorted((a, b) => (a.type < b.type ? -1 : 1))).toMatchObject([
      { type: "webhook.delivery.dead", data: { endpointId: "gone", eventId: id, reason: "endpoint_gone" } },
      { type: "webhook.endpoint.disabled", data: { endpointId: "gone", reason: "gone" } },
    ]);
  });
});

describe("closing", () => {
  it("delivers what was published before it, when the store does not outlive the process", async () => {
    const to = await listening();
    const at = house({ allow: [to.origin] });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    for (let count = 0; count < 500; count += 1) void at.broker.publish("a.b", count);
    await at.broker.close();
    expect(new Set(to.received.map(dataOf)).size).toBe(500);
    expect(at.all("drainCompleted")[0]?.undone).toEqual([]);
  });

  it("cuts off what hangs at the deadline, and says so", async () => {
    const to = await listeningRaw({ onRequest: () => undefined });
    const at = house({ allow: [to.origin], deadlineMs: 200 });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await at.broker.publish("a.b", 1);
    const startedAt = performance.now();
    await Promise.all([at.broker.close(), at.webhooks.close()]);
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(at.all("drainCompleted")[0]?.undone).toEqual([
      "webhooks: 1 attempts were cut off",
      "webhooks: 1 deliveries to 1 endpoints are lost with the memory store",
    ]);
    await to.allClosed();
  });

  it("of the dispatcher alone leaves the broker open, and frees its name", async () => {
    const to = await listening();
    const at = house({ allow: [to.origin] });
    await at.webhooks.endpoints.put({ id: "partner", url: to.origin });
    await at.webhooks.close();
    await at.webhooks.close();
    await at.broker.publish("a.b", 1);
    const next = new WebhookDispatcher(at.broker, { allow: [to.origin] });
    await to.count(1);
    expect((await next.endpoints.list()).map(({ id }) => id)).toEqual(["partner"]);
  });
});
