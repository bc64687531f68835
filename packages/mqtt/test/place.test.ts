import { MemoryStore, type Durability, type Store } from "@starcast/core";
import { afterEach, describe, expect, it } from "vitest";
import { MqttPublisher } from "../src/index.ts";
import { upTo } from "./collector.ts";
import { House } from "./house.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A store that outlives the broker it is given to, as a durable one does. */
function lastingStore(): Store {
  const { log, checkpoints, deliveries, records } = new MemoryStore();
  return { log, checkpoints, deliveries, records, close: () => Promise.resolve() };
}

function houseOn(store: Store): House {
  return new House({ store, drain: { spreadMs: 0, deadlineMs: 200 } });
}

const options = { topic: "t/{subject}", status: false as const, connection: { backOff: { minMs: 1, maxMs: 20 } } };

describe("the place of a publisher", () => {
  it("is kept: the next process publishes what this one did not, and nothing again", async () => {
    const server = await ScriptedBroker.start({
      publish: (packet, peer) => (packet.topic < "t/thing-5" ? peer.acknowledge(packet) : undefined),
    });
    ends.push(() => server.end());
    const store = lastingStore();
    const first = houseOn(store);
    new MqttPublisher(first.broker, { ...options, url: server.url });
    await first.publish(...upTo(10));
    await server.until(() => server.numbers.length === 10);
    await first.broker.close();
    expect(first.moments.at(-1)).toMatchObject({
      kind: "drainCompleted",
      undone: [expect.stringMatching(/^mqtt: events after [a-z0-9]+-5 are not acknowledged/)],
    });

    server.follow({});
    const second = houseOn(store);
    ends.push(() => second.broker.close());
    new MqttPublisher(second.broker, { ...options, url: server.url });
    await second.publish(10);
    await server.until(() => server.numbers.at(-1) === 10);
    expect(server.numbers.slice(10)).toEqual([5, 6, 7, 8, 9, 10]);
  });

  it("is held by one process at a time", async () => {
    const server = await ScriptedBroker.start();
    ends.push(() => server.end());
    const store = lastingStore();
    const [first, second] = [houseOn(store), houseOn(store)];
    ends.push(() => second.broker.close());
    new MqttPublisher(first.broker, { ...options, url: server.url });
    await first.seen("mqttConnected");
    const waiting = new MqttPublisher(second.broker, { ...options, url: server.url });
    await first.publish(0, 1);
    await server.until(() => server.numbers.length === 2);
    expect(waiting.isConnected).toBe(false);
    expect(server.numbers).toEqual([0, 1]);
    await first.broker.close();
  });

  it("is one per name: a second publisher of a broker must be named", async () => {
    const house = houseOn(lastingStore());
    ends.push(() => house.broker.close());
    const url = "mqtt://127.0.0.1:1";
    const first = new MqttPublisher(house.broker, { ...options, url });
    expect(() => new MqttPublisher(house.broker, { ...options, url })).toThrow(
      expect.objectContaining({ code: "name_taken" }),
    );
    new MqttPublisher(house.broker, { ...options, url, name: "mqtt-2" });
    await first.close();
    new MqttPublisher(house.broker, { ...options, url });
  });

  it("passes over what the filter leaves out", async () => {
    const server = await ScriptedBroker.start();
    ends.push(() => server.end());
    const house = houseOn(lastingStore());
    ends.push(() => house.broker.close());
    const publisher = new MqttPublisher(house.broker, { ...options, url: server.url, types: ["test.*"] });
    await house.publish(0);
    await Promise.all(upTo(5).map((n) => house.broker.publish("other.thing", { n })));
    await server.until(() => server.numbers.length === 1);
    await expect.poll(() => publisher.position).toMatchObject({ offset: 6 });
    expect(server.numbers).toEqual([0]);
  });
});

describe("a rate", () => {
  it("lets a backlog out no faster", async () => {
    const server = await ScriptedBroker.start();
    ends.push(() => server.end());
    const house = houseOn(lastingStore());
    ends.push(() => house.broker.close());
    new MqttPublisher(house.broker, { ...options, url: server.url, maxEventsPerSecond: 100 });
    await house.publish(...upTo(30));
    const startedAt = performance.now();
    await server.until(() => server.numbers.length === 30);
    // Ten at once, then one every 10 ms.
    expect(performance.now() - startedAt).toBeGreaterThan(150);
    expect(server.numbers).toEqual(upTo(30));
  });
});

describe("closing a publisher", () => {
  it("twice, or before it ever connected, ends", async () => {
    const house = houseOn(lastingStore());
    const publisher = new MqttPublisher(house.broker, { ...options, url: "mqtt://127.0.0.1:1" });
    await Promise.all([publisher.close(), publisher.close()]);
    publisher.reconnect();
    await house.broker.close();
  });

  it("says good-bye, so that the will stays unsaid", async () => {
    const server = await ScriptedBroker.start();
    ends.push(() => server.end());
    const house = houseOn(lastingStore());
    const publisher = new MqttPublisher(house.broker, { ...options, url: server.url });
    await house.seen("mqttConnected");
    await publisher.close();
    await server.until(() => server.peers[0]?.received.at(-1)?.cmd === "disconnect");
    await house.publish(0);
    await house.broker.close();
    expect(server.numbers).toEqual([]);
  });

  it("waits for an absent MQTT broker only when what is left would be lost with the process", async () => {
    const tookMs = async (durability: Durability, deadlineMs: number): Promise<number> => {
      const memory = new MemoryStore();
      const log = new Proxy(memory.log, {
        get: (target, name) => {
          if (name === "durability") return durability;
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === "function" ? (value.bind(target) as unknown) : value;
        },
      });
      const { checkpoints, deliveries, records } = memory;
      const store = { log, checkpoints, deliveries, records, close: () => memory.close() };
      const house = new House({ store, drain: { spreadMs: 0, deadlineMs } });
      new MqttPublisher(house.broker, { ...options, url: "mqtt://127.0.0.1:1" });
      await house.publish(0);
      const startedAt = performance.now();
      await house.broker.close();
      const fate = durability === "memory" ? /they are lost/ : /they stay in the log/;
      expect(house.moments.at(-1)).toMatchObject({ undone: [expect.stringMatching(fate)] });
      return performance.now() - startedAt;
    };
    expect(await tookMs("disk", 15_000)).toBeLessThan(10_000);
    expect(await tookMs("memory", 1_000)).toBeGreaterThan(900);
  });

  it("does not wait for a frozen MQTT broker longer than the deadline", async () => {
    const server = await ScriptedBroker.start({ publish: () => undefined });
    ends.push(() => server.end());
    const house = houseOn(lastingStore());
    new MqttPublisher(house.broker, { ...options, url: server.url });
    await house.publish(0);
    await server.until(() => server.numbers.length === 1);
    const startedAt = performance.now();
    await house.broker.close();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
