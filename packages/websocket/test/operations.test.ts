import { MemoryStore } from "@starcast/core";
import type { Authorize, Grant } from "@starcast/core/gateway";
import { describe, expect, it } from "vitest";
import { Client } from "./client.ts";
import { openHouse, publishNumbers } from "./listen.ts";

describe("a client that subscribes", () => {
  it("gets the new filter from the position it is told", async () => {
    const { broker, url } = await openHouse();
    const client = new Client(`${url}?types=model.*`);
    await client.frame("client.connected");
    const { id } = await broker.publish("model.added", { n: 1 });
    await client.eventCount(1);
    client.say({ op: "subscribe", types: ["sync.*"], subjects: ["acme/*"] });
    const { data } = await client.frame("client.subscribed");
    expect(data).toEqual({ types: ["sync.*"], subjects: ["acme/*"], position: id });
    await broker.publish("model.added", { n: 2 });
    await broker.publish("sync.started", {}, { subject: "acme/one" });
    await client.eventCount(2);
    expect(client.events.map((event) => event.type)).toEqual(["model.added", "sync.started"]);
  });

  it("gets the past of a wider filter with `after`, whatever it was sent before", async () => {
    const { broker, url } = await openHouse();
    const client = new Client(`${url}?types=sync.*`);
    await client.frame("client.connected");
    const published = await publishNumbers(broker, 1, 10);
    client.say({ op: "subscribe", after: published[6]?.id });
    const { data } = await client.frame("client.subscribed");
    expect(data).toEqual({ types: null, subjects: null, position: published[6]?.id });
    expect((await client.eventCount(3)).map((event) => event.data)).toEqual([8, 9, 10].map((n) => ({ n })));
    await broker.publish("sync.started", {});
    await client.eventCount(4);
    expect(broker.subscriberCount).toBe(1);
  });

  it("is told a gap when `after` is of another epoch", async () => {
    const { broker, url } = await openHouse();
    const client = new Client(url);
    await client.frame("client.connected");
    await publishNumbers(broker, 1, 2);
    await client.eventCount(2);
    client.say({ op: "subscribe", after: "other-7" });
    expect((await client.frame("client.gap")).data).toMatchObject({ after: "other-7", reason: "epoch" });
    await client.frame("client.subscribed");
    expect((await client.eventCount(4)).map((event) => event.data)).toEqual([1, 2, 1, 2].map((n) => ({ n })));
  });

  it("never gets more than it is granted", async () => {
    const { broker, url } = await openHouse({ gateway: { authorize: () => ({ identity: null, types: ["model.*"] }) } });
    const client = new Client(url);
    await client.frame("client.connected");
    client.say({ op: "subscribe", types: ["**"], after: "earliest" });
    await client.frame("client.subscribed");
    await broker.publish("sync.started", {});
    await broker.publish("model.added", { n: 1 });
    await client.eventCount(1);
    expect(client.events.map((event) => event.type)).toEqual(["model.added"]);
  });

  it.each([
    ["not JSON", "{", { op: "unknown", code: "invalid_message" }],
    ["no object", "[1]", { op: "unknown", code: "invalid_message" }],
    ["an operation nobody knows", { op: "publish" }, { op: "publish", code: "unknown_operation" }],
    ["a misspelled field", { op: "subscribe", type: ["a.b"] }, { op: "subscribe", code: "invalid_message" }],
    ["a malformed pattern", { op: "subscribe", types: ["**.x"] }, { op: "subscribe", code: "invalid_filter" }],
    [
      "too many patterns",
      { op: "subscribe", types: Array.from({ length: 65 }, (_, n) => `a.b${n}`) },
      { op: "subscribe", code: "invalid_filter" },
    ],
    ["a token for a grant that does not end", { op: "token", token: "x" }, { op: "token", code: "not_expiring" }],
  ])("is refused %s, and stays", async (_what, message, refusal) => {
    const { broker, url } = await openHouse();
    const client = new Client(url);
    await client.frame("client.connected");
    client.say(message);
    expect((await client.frame("client.refused")).data).toEqual(refusal);
    await publishNumbers(broker, 1, 1);
    await client.eventCount(1);
  });
});

describe("a client whose grant ends", () => {
  const lastsMs = 60_000;

  /** Grants to whoever has a token `name:types`, for a minute. */
  function tokens(now: () => number): Authorize {
    return ({ token }): Grant | null => {
      const [identity = "", types = ""] = (token ?? "").split(":");
      return identity === "" ? null : { identity, types: [types], expiresAt: now() + lastsMs };
    };
  }

  async function connected(): Promise<{ house: Awaited<ReturnType<typeof openHouse>>; client: Client }> {
    const house = await openHouse({ gateway: { authorize: (visitor) => tokens(house0.now)(visitor) } });
    house0.now = () => house.time.clock.now();
    const client = new Client(house.url, [], { headers: { authorization: "Bearer ann:model.*" } });
    await client.frame("client.connected");
    return { house, client };
  }
  const house0 = { now: () => Date.now() };

  it("is told, has its grace, then is closed for good", async () => {
    const { house, client } = await connected();
    for (let passed = 0; passed < lastsMs; passed += 20_000) {
      await house.time.advance(20_000);
      client.socket.ping();
      await new Promise((resolve) => void client.socket.once("pong", resolve));
    }
    await house.time.advance(2_000);
    expect((await client.frame("client.closing")).data).toEqual({ reason: "unauthorized", reconnectInMs: null });
    await publishNumbers(house.broker, 1, 1);
    await client.eventCount(1);
    await house.time.advance(26_000);
    expect(await client.closed).toEqual({ code: 4401, reason: "unauthorized" });
  });

  it("brings a new token in time, and goes on with what that one grants", async () => {
    const { house, client } = await connected();
    client.say({ op: "token", token: "ann:sync.*" });
    await client.frame("client.subscribed");
    await publishNumbers(house.broker, 1, 1);
    await house.broker.publish("sync.started", {});
    await client.eventCount(1);
    expect(client.events.map((event) => event.type)).toEqual(["sync.started"]);
  });

  it.each([
    ["that is refused", ":"],
    ["of somebody else", "bob:model.*"],
  ])("is refused a token %s, and its own goes on to end", async (_what, token) => {
    const { house, client } = await connected();
    client.say({ op: "token", token });
    expect((await client.frame("client.refused")).data).toEqual({ op: "token", code: "not_authorized" });
    await publishNumbers(house.broker, 1, 1);
    await client.eventCount(1);
  });
});

// No ping went out, but its answer was waited for.
it("a client that asked for a place is pinged, and stays, while the log does not say whether there is one", async () => {
  const memory = new MemoryStore();
  let isHanging = false;
  const log = new Proxy(memory.log, {
    get: (target, key) => {
      if (key === "refresh" && isHanging) return () => new Promise(() => undefined);
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const { checkpoints, deliveries, records } = memory;
  const house = await openHouse({
    broker: { store: { log, checkpoints, deliveries, records, close: () => memory.close() } },
  });
  const client = new Client(house.url);
  await client.frame("client.connected");
  isHanging = true;
  client.say({ op: "subscribe", after: `${log.epoch}-99` });
  for (let beat = 0; beat < 3; beat += 1) {
    const pinged = new Promise((resolve) => void client.socket.once("ping", resolve));
    await house.time.advance(26_000);
    await pinged;
    // Read behind the pong.
    client.say({ op: "nothing" });
    await client.frame("client.refused", client.frames.length);
  }
  expect(house.gateway.connectionCount).toBe(1);
});
