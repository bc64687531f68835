import { defineEvents, event, EventsMissedError, type Gap } from "@starcast/core";
import { getEventListeners } from "node:events";
import type { IPublishPacket } from "mqtt-packet";
import { afterEach, describe, expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { follow, type FollowOptions } from "../src/consumer/index.ts";
import { MqttPublisher, type MqttPublisherOptions } from "../src/index.ts";
import { upTo } from "./collector.ts";
import { House, startAedes } from "./house.ts";
import { Mosquitto } from "../../../tests/mosquitto.ts";
import { ScriptedBroker, type Peer } from "./scripted-broker.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const numbered = defineEvents({ "test.numbered": event<{ n: number }>() });

describeWith("mosquitto", "following events at Mosquitto", (program) => {
  async function arrange(config: readonly string[] = [], publisher: Partial<MqttPublisherOptions> = {}) {
    const mosquitto = await Mosquitto.start(program, config);
    ends.push(() => mosquitto.end());
    const house = new House();
    ends.push(() => house.broker.close());
    new MqttPublisher(house.broker, {
      url: mosquitto.url,
      topic: "t/{subject}",
      connection: { backOff: { minMs: 10, maxMs: 50 } },
      ...publisher,
    });
    return { mosquitto, house };
  }

  const quick = { backOff: { minMs: 10, maxMs: 50 } };

  it("gives every event, typed, in order, until the loop is left", async () => {
    const { mosquitto, house } = await arrange();
    const events = follow({
      url: mosquitto.url,
      topics: "t/#",
      events: numbered,
      clientId: "reader",
      isComplete: true,
    });
    const first = events.next();
    // The subscription is there when the first event is.
    let isFirst = false;
    void first.then(() => (isFirst = true));
    for (let n = 0; !isFirst; n += 1) {
      await house.publish(n);
      await expect.poll(() => house.broker.queueDepth).toBe(0);
    }
    const { value } = await first;
    const start = (value?.data.n ?? 0) + 1;
    const published = Number(house.broker.position.offset);
    await house.publish(...upTo(100).map((n) => published + n));
    const numbers: number[] = [];
    for await (const { data } of events) {
      numbers.push(data.n);
      if (data.n === published + 99) break;
    }
    expect(numbers).toEqual(upTo(published + 100 - start).map((n) => start + n));
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  it.each(["5", "3.1.1"] as const)(
    "misses nothing while it is away, with a session of its own and MQTT %s",
    async (protocol) => {
      const { mosquitto, house } = await arrange([], { connection: { ...quick, protocol } });
      const options = {
        url: mosquitto.url,
        topics: "t/#",
        events: numbered,
        clientId: "reader",
        isComplete: true,
        connection: { protocol },
      } as const;
      const before = follow(options);
      const first = before.next();
      const watcher = setInterval(() => void house.publish(-1), 20);
      await first;
      clearInterval(watcher);
      await before.return?.();
      await house.publish(...upTo(200));
      const numbers: number[] = [];
      for await (const { data } of follow(options)) {
        numbers.push(data.n);
        if (data.n === 199) break;
      }
      expect(numbers.filter((n) => n >= 0)).toEqual(upTo(200));
    },
  );

  it("ends with its signal, also before it was ever connected", async () => {
    const { mosquitto } = await arrange();
    const ending = new AbortController();
    const waiting = follow({ url: mosquitto.url, topics: "t/#", signal: ending.signal }).next();
    ending.abort();
    expect((await waiting).done).toBe(true);
    const aborted = follow({ url: mosquitto.url, topics: "t/#", signal: AbortSignal.abort() });
    expect((await aborted.next()).done).toBe(true);
  });

  it("goes on after an outage, by itself", async () => {
    const { mosquitto, house } = await arrange();
    let disconnections = 0;
    const gaps: Gap[] = [];
    const events = follow({
      url: mosquitto.url,
      topics: "t/#",
      events: numbered,
      isComplete: true,
      connection: quick,
      onGap: (gap) => gaps.push(gap),
      onDisconnected: () => (disconnections += 1),
    });
    const publishing = setInterval(() => void house.publish(0), 5);
    ends.push(async () => clearInterval(publishing));
    for (let taken = 0; taken < 10; taken += 1) await events.next();
    await mosquitto.kill();
    await expect.poll(() => disconnections).toBeGreaterThan(0);
    await mosquitto.start();
    for (let taken = 0; taken < 10; taken += 1) expect((await events.next()).done).toBe(false);
    await events.return?.();
    // Without a session of its own, what was published before it was back is missing, and it knows.
    for (const { reason } of gaps) expect(reason).toBe("unknown");
  });
});

describe("following at an MQTT broker that speaks 3.1.1 only", () => {
  it("works alike", async () => {
    const aedes = await startAedes();
    ends.push(() => aedes.end());
    const house = new House();
    ends.push(() => house.broker.close());
    new MqttPublisher(house.broker, {
      url: aedes.url,
      topic: "t/{subject}",
      payload: { format: "cloudevents", source: "/" },
    });
    const events = follow({ url: aedes.url, topics: ["t/+", "starcast/mqtt/status"], events: numbered });
    const publishing = setInterval(() => void house.publish(7), 10);
    const { value } = await events.next();
    clearInterval(publishing);
    expect(value).toMatchObject({ type: "test.numbered", subject: "thing-7", data: { n: 7 } });
    await events.return?.();
  });
});

describe("a follower, given messages one by one", () => {
  async function arrange(options: Partial<FollowOptions<{ "test.numbered": { n: number } }>> = {}) {
    const server = await ScriptedBroker.start();
    ends.push(() => server.end());
    const events = follow({
      url: server.url,
      topics: "t/#",
      connection: { backOff: { minMs: 1, maxMs: 5 } },
      ...options,
    });
    ends.push(async () => events.return?.());
    return { server, events };
  }

  async function subscribed(server: ScriptedBroker, connections = 1): Promise<Peer> {
    const peer = (): Peer | undefined => server.peers[connections - 1];
    await server.until(() => peer()?.received.some(({ cmd }) => cmd === "subscribe") ?? false);
    const found = peer();
    if (found === undefined) throw new Error("Expected a connection, got none");
    for (const packet of found.received)
      if (packet.cmd === "subscribe") found.send({ cmd: "suback", messageId: packet.messageId ?? 0, granted: [1] });
    return found;
  }

  let messageId = 0;
  function send(peer: Peer, payload: unknown): void {
    messageId += 1;
    const text = typeof payload === "string" ? payload : JSON.stringify(payload);
    const packet: IPublishPacket = {
      cmd: "publish",
      topic: "t/x",
      payload: text,
      qos: 1,
      dup: false,
      retain: false,
      messageId,
    };
    peer.send(packet);
  }

  function frame(offset: number): object {
    return { id: `e-${offset}`, type: "test.numbered", timestamp: "2026-01-01T00:00:00.000Z", data: { n: offset } };
  }

  const acknowledged = (peer: Peer): number => peer.received.filter(({ cmd }) => cmd === "puback").length;

  it("acknowledges an event when the next one is asked for, and reads no further before", async () => {
    const { server, events } = await arrange();
    const peer = await subscribed(server);
    for (const offset of [1, 2, 3]) send(peer, frame(offset));
    expect((await events.next()).value).toMatchObject({ id: "e-1" });
    expect(acknowledged(peer)).toBe(0);
    expect((await events.next()).value).toMatchObject({ id: "e-2" });
    await server.until(() => acknowledged(peer) === 1);
  });

  it("gives each id once, and acknowledges the repetition", async () => {
    const { server, events } = await arrange();
    const peer = await subscribed(server);
    for (const offset of [1, 2, 1, 2, 3]) send(peer, frame(offset));
    const ids: unknown[] = [];
    for (let taken = 0; taken < 3; taken += 1) ids.push((await events.next()).value?.id);
    expect(ids).toEqual(["e-1", "e-2", "e-3"]);
    await server.until(() => acknowledged(peer) === 4);
  });

  it("does not give an event again that came again while the loop was at it", async () => {
    const { server, events } = await arrange();
    const peer = await subscribed(server);
    send(peer, frame(1));
    await events.next();
    peer.socket.destroy();
    const second = await subscribed(server, 2);
    for (const offset of [1, 2]) send(second, frame(offset));
    // Long enough for an answer; acknowledged already, it would not come again to who follows next.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(acknowledged(second)).toBe(0);
    const next = events.next();
    expect((await next).value).toMatchObject({ id: "e-2" });
    await server.until(() => acknowledged(second) === 1);
  });

  it("throws where events are missing, told or counted", async () => {
    const told = await arrange();
    send(await subscribed(told.server), {
      type: "client.gap",
      timestamp: "2026-01-01T00:00:00.000Z",
      data: { after: "e-1", through: "e-5", reason: "trimmed" },
    });
    await expect(told.events.next()).rejects.toThrow(EventsMissedError);
    expect((await told.events.next()).done).toBe(true);

    const counted = await arrange({ isComplete: true });
    const peer = await subscribed(counted.server);
    for (const offset of [1, 4]) send(peer, frame(offset));
    await counted.events.next();
    await expect(counted.events.next()).rejects.toMatchObject({
      code: "events_missed",
      gap: { after: { offset: 1 }, through: { offset: 3 } },
    });
  });

  it("goes on after a gap that somebody is told", async () => {
    const gaps: Gap[] = [];
    const { server, events } = await arrange({ isComplete: true, onGap: (gap) => gaps.push(gap) });
    const peer = await subscribed(server);
    send(peer, frame(1));
    send(peer, {
      type: "client.gap",
      timestamp: "2026-01-01T00:00:00.000Z",
      data: { after: "e-1", through: "e-5", reason: "event_too_large" },
    });
    send(peer, frame(6));
    await events.next();
    expect((await events.next()).value).toMatchObject({ id: "e-6" });
    expect(gaps).toEqual([{ after: { epoch: "e", offset: 1 }, through: { epoch: "e", offset: 5 }, reason: "unknown" }]);
  });

  it.each([["not json"], ["[]"], ['{"id":"x"}'], [JSON.stringify({ ...frame(1), type: "test.other" })]])(
    "throws at %s, or tells",
    async (text) => {
      const thrown = await arrange({ events: numbered });
      send(await subscribed(thrown.server), text);
      await expect(thrown.events.next()).rejects.toMatchObject({ code: "invalid_frame" });

      const unreadable: string[] = [];
      const { server, events } = await arrange({
        events: numbered,
        onUnreadable: (topic, { code }) => unreadable.push(`${topic} ${code}`),
      });
      const peer = await subscribed(server);
      send(peer, text);
      send(peer, { type: "client.status", timestamp: "2026-01-01T00:00:00.000Z", data: {} });
      send(peer, "");
      send(peer, frame(2));
      expect((await events.next()).value).toMatchObject({ id: "e-2" });
      expect(unreadable).toEqual(["t/x invalid_frame"]);
    },
  );

  it.each(["onGap", "onUnreadable", "onDisconnected"] as const)("throws what its %s throws", async (name) => {
    const { server, events } = await arrange({
      isComplete: true,
      [name]: () => {
        throw new RangeError("mine");
      },
    });
    const peer = await subscribed(server);
    send(peer, frame(1));
    await events.next();
    if (name === "onGap") send(peer, frame(3));
    else if (name === "onUnreadable") send(peer, "not json");
    else peer.socket.destroy();
    await expect(events.next()).rejects.toThrow("mine");
    expect((await events.next()).done).toBe(true);
  });

  it("lets go of its signal when the loop is left", async () => {
    const { signal } = new AbortController();
    const { events } = await arrange({ signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    await events.return?.();
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("refuses callbacks that are none", () => {
    expect(() => follow({ url: "mqtt://host", topics: "t", onGap: "log" as never })).toThrow(
      /`onGap` to be a function/,
    );
  });

  it("throws when its credentials are refused", async () => {
    const { server, events } = await arrange();
    server.follow({ connack: () => ({ reasonCode: 0x87 }) });
    await expect(events.next()).rejects.toMatchObject({ code: "not_authorized" });
  });

  it.each([[""], ["a/#/b"], ["a+"], [[]], [7], [upTo(65).map(String)]])("refuses the topics %j", (topics) => {
    expect(() => follow({ url: "mqtt://host", topics: topics as string })).toThrow(/topic filters/);
  });
});
