import { Broker, defineEvents, event, MemoryStore } from "@starcast/core";
import { afterEach, describe, expect, it } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { MqttPublisher, type StateOptions } from "../src/index.ts";
import { Collector } from "./collector.ts";
import { startAedes } from "./house.ts";
import { Mosquitto } from "../../../tests/mosquitto.ts";

interface Model {
  readonly id: string;
  readonly price: number;
}

const models = defineEvents({
  "model.added": event<{ model: Model }>({ subject: ({ model }) => model.id, state: ({ model }) => model }),
  "model.updated": event<{ model: Model }>({ subject: ({ model }) => model.id, state: ({ model }) => model }),
  "model.deleted": event<{ id: string }>({ subject: ({ id }) => id, state: () => undefined }),
  "sync.completed": event<{ count: number }>(),
});

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

type Start = () => Promise<{ readonly url: string; end(): Promise<void> }>;

function describeMirror(name: string, start: Start, protocol: "5" | "3.1.1"): void {
  describe(name, () => {
    async function arrange(state: Partial<StateOptions> = {}) {
      const server = await start();
      ends.push(() => server.end());
      const broker = new Broker({ events: models, observe: [], drain: { spreadMs: 0, deadlineMs: 2_000 } });
      ends.push(() => broker.close());
      const publish = () =>
        new MqttPublisher(broker, {
          url: server.url,
          topic: "events/{type}/{subject}",
          status: { topic: "status" },
          state: { topic: "models/{subject}", ...state },
        });
      return { server, broker, publish };
    }

    /** What somebody who comes now sees, by topic. */
    async function retained(url: string, expected: number): Promise<Readonly<Record<string, unknown>>> {
      const late = await Collector.of(url, "models/#", { protocolVersion: protocol === "5" ? 5 : 4 });
      await late.until(() => late.received.length >= expected);
      await late.settle();
      await late.end();
      expect(late.received.every(({ isRetained }) => isRetained)).toBe(true);
      return Object.fromEntries(late.received.map(({ topic, text }) => [topic, JSON.parse(text)]));
    }

    it("holds the newest state of each thing that is there, and nothing of what is gone", async () => {
      const { server, broker, publish } = await arrange();
      publish();
      await broker.publish("model.added", { model: { id: "acme/one", price: 1 } });
      await broker.publish("model.added", { model: { id: "two", price: 2 } });
      await broker.publish("model.updated", { model: { id: "acme/one", price: 3 } });
      await broker.publish("model.deleted", { id: "two" });
      await broker.publish("sync.completed", { count: 1 });
      await broker.close();
      expect(await retained(server.url, 1)).toEqual({ "models/acme%2Fone": { id: "acme/one", price: 3 } });
    });

    it("becomes exactly a snapshot: ghosts removed, what is right left alone", async () => {
      const { server, broker, publish } = await arrange();
      const publisher = publish();
      for (const id of ["right", "wrong", "ghost"]) await broker.publish("model.added", { model: { id, price: 1 } });
      await expect.poll(() => publisher.position?.offset).toBe(3);
      const watcher = await Collector.of(server.url, "models/#", { protocolVersion: protocol === "5" ? 5 : 4 });
      await watcher.until(() => watcher.received.length === 3);
      await publisher.resync(
        new Map([
          ["right", { id: "right", price: 1 }],
          ["wrong", { id: "wrong", price: 2 }],
          ["missing", { id: "missing", price: 3 }],
        ]),
      );
      await watcher.until(() => watcher.received.length === 6);
      const changes = watcher.received.slice(3).map(({ topic }) => topic);
      await watcher.end();
      expect(changes.toSorted()).toEqual(["models/ghost", "models/missing", "models/wrong"]);
      expect(await retained(server.url, 3)).toEqual({
        "models/right": { id: "right", price: 1 },
        "models/wrong": { id: "wrong", price: 2 },
        "models/missing": { id: "missing", price: 3 },
      });
    });

    it("is exact from the first connection on where there is a snapshot, and says so", async () => {
      const catalog = new Map<string, Model>([["old", { id: "old", price: 1 }]]);
      const { server, broker, publish } = await arrange({ snapshot: () => catalog });
      const status = await Collector.of(server.url, "status", { protocolVersion: protocol === "5" ? 5 : 4 });
      publish();
      catalog.set("new", { id: "new", price: 2 });
      await broker.publish("model.added", { model: { id: "new", price: 2 } });
      await status.until(() => status.frames.some(({ data }) => data["mirror"] === "exact"));
      await status.end();
      await broker.close();
      expect(await retained(server.url, 2)).toEqual({
        "models/old": { id: "old", price: 1 },
        "models/new": { id: "new", price: 2 },
      });
    });

    it("is stale after a gap until it was resynced, and then exact again", async () => {
      const catalog = new Map<string, Model>([["one", { id: "one", price: 0 }]]);
      const server = await start();
      ends.push(() => server.end());
      const store = new MemoryStore({ retention: { maxEvents: 100 } });
      const broker = new Broker({ events: models, store, observe: [], drain: { spreadMs: 0, deadlineMs: 2_000 } });
      ends.push(() => broker.close());
      const status = await Collector.of(server.url, "status", { protocolVersion: protocol === "5" ? 5 : 4 });
      ends.push(() => status.end());
      let isThere = false;
      const publisher = new MqttPublisher(broker, {
        url: server.url,
        topic: "events/{type}/{subject}",
        status: { topic: "status" },
        state: { topic: "models/{subject}", snapshot: () => catalog },
        // Not let in before the log has lost the beginning.
        credentials: async () => (isThere ? { username: "publisher" } : Promise.reject(new Error("not yet"))),
        connection: { longWaitMs: 10, backOff: { minMs: 600_000, maxMs: 600_000 } },
      });
      for (let price = 1; price <= 300; price += 1) {
        await broker.publish("model.updated", { model: { id: price % 2 === 0 ? "one" : "two", price } });
      }
      catalog.set("one", { id: "one", price: 300 }).set("two", { id: "two", price: 299 });
      isThere = true;
      publisher.reconnect();
      await status.until(() => status.frames.some(({ data }) => data["mirror"] === "exact"));
      const said = status.frames.map(({ type, data }) => (type === "client.gap" ? "gap" : data["mirror"]));
      expect(said.indexOf("stale")).toBeGreaterThanOrEqual(0);
      expect(said.indexOf("gap")).toBeGreaterThanOrEqual(0);
      expect(said.indexOf("exact")).toBeGreaterThan(said.indexOf("gap"));
      await expect.poll(() => publisher.position?.offset).toBe(300);
      expect(await retained(server.url, 2)).toEqual({
        "models/one": { id: "one", price: 300 },
        "models/two": { id: "two", price: 299 },
      });
    });

    it("takes a snapshot that comes bit by bit, more of it than fits into the window", async () => {
      async function* manyModels(): AsyncGenerator<readonly [string, Model]> {
        for (let n = 0; n < 500; n += 1) yield [`m${n}`, { id: `m${n}`, price: n }];
      }
      const { server, broker, publish } = await arrange({ snapshot: async () => manyModels() });
      const publisher = publish();
      await publisher.resync();
      await broker.close();
      expect(Object.keys(await retained(server.url, 500))).toHaveLength(500);
    });

    it("stays stale, and says so, when the snapshot fails; events go on", async () => {
      const { server, broker, publish } = await arrange();
      const publisher = publish();
      await expect(
        publisher.resync(
          (async function* () {
            yield ["one", 1] as const;
            throw new Error("no database");
          })(),
        ),
      ).rejects.toThrow("no database");
      await broker.publish("model.added", { model: { id: "one", price: 1 } });
      await expect.poll(() => publisher.position?.offset).toBe(1);
      const status = await Collector.of(server.url, "status", { protocolVersion: protocol === "5" ? 5 : 4 });
      await status.until(() => status.frames.some(({ data }) => data["mirror"] === "stale"));
      await status.end();
    });

    it("refuses more topics than it may handle, and a snapshot that keeps silent", async () => {
      const { publish } = await arrange({ maxTopics: 2, snapshotTimeoutMs: 20 });
      const publisher = publish();
      const three = [1, 2, 3].map((n) => [`m${n}`, n] as const);
      await expect(publisher.resync(three)).rejects.toThrow(/at most 2 topics/);
      await expect(
        publisher.resync({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) }),
      ).rejects.toThrow(/within 20 ms/);
    });
  });
}

describeMirror("a mirror at aedes", startAedes, "3.1.1");
describeWith("mosquitto", "a mirror at Mosquitto", (program) => {
  describeMirror("with MQTT 5", () => Mosquitto.start(program), "5");
});

describe("a publisher without a mirror", () => {
  it("has nothing to resync", async () => {
    const broker = new Broker({ observe: [] });
    const publisher = new MqttPublisher(broker, { url: "mqtt://127.0.0.1:1", topic: "t" });
    await expect(publisher.resync([])).rejects.toMatchObject({ code: "unsupported" });
    await publisher.close();
    await broker.close();
  });

  it("rejects a resync that waits for a connection when it is closed", async () => {
    const broker = new Broker({ observe: [] });
    const publisher = new MqttPublisher(broker, {
      url: "mqtt://127.0.0.1:1",
      topic: "t",
      state: { topic: "s/{subject}" },
    });
    const waiting = expect(publisher.resync([])).rejects.toMatchObject({ code: "broker_closed" });
    await publisher.close();
    await waiting;
    await expect(publisher.resync([])).rejects.toMatchObject({ code: "broker_closed" });
    await broker.close();
  });
});
