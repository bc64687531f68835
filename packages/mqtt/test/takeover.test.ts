import { MemoryStore, StarcastError, type CheckpointStore, type Store } from "@starcast/core";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { Mosquitto } from "../../../tests/mosquitto.ts";
import { describeWith } from "../../../tests/services.ts";
import { MqttPublisher, type MqttPublisherOptions } from "../src/index.ts";
import { Collector } from "./collector.ts";
import { House } from "./house.ts";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** The way from one process to Mosquitto, which can break as a cable does: without a good-bye. */
async function relayTo(port: number): Promise<{ readonly url: string; readonly open: () => number; cut(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", () => undefined).on("close", () => void (sockets.delete(from), to.destroy()));
      from.pipe(to);
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => sockets.forEach((socket) => void socket.destroy());
  ends.push(async () => (cut(), server.close()));
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, open: () => sockets.size, cut };
}

/** One log, and the leases of several processes, each of which can be taken away. */
function sharedStore(): { process(): { readonly store: Store; lose(): void; find(): void }; readonly store: Store } {
  const memory = new MemoryStore();
  const { log, checkpoints, deliveries, records } = memory;
  const storeWith = (own: CheckpointStore): Store => ({
    log,
    checkpoints: own,
    deliveries,
    records,
    close: () => Promise.resolve(),
  });
  ends.push(() => memory.close());
  return {
    store: storeWith(checkpoints),
    process: () => {
      let isAway = false;
      const own: CheckpointStore = {
        acquire: async (name, ttlMs) => (isAway ? null : checkpoints.acquire(name, ttlMs)),
        load: (name) => checkpoints.load(name),
        save: (lease, position) => checkpoints.save(lease, position),
        renew: async (lease, ttlMs) => {
          if (!isAway) return checkpoints.renew(lease, ttlMs);
          await checkpoints.release(lease);
          throw new StarcastError("lease_lost", "Expected to hold the lease, got another holder");
        },
        release: (lease) => checkpoints.release(lease),
        remove: (name) => checkpoints.remove(name),
        list: () => checkpoints.list(),
      };
      return { store: storeWith(own), lose: () => void (isAway = true), find: () => void (isAway = false) };
    },
  };
}

describeWith("mosquitto", "a process that lost the place to another", (program) => {
  async function arrange(options: Partial<MqttPublisherOptions> = {}) {
    const mosquitto = await Mosquitto.start(program);
    ends.push(() => mosquitto.end());
    const relay = await relayTo(mosquitto.port);
    const collector = await Collector.of(mosquitto.url, ["t/#", "starcast/#"]);
    ends.push(() => collector.end());
    const shared = sharedStore();
    const old = shared.process();
    const houseOn = (store: Store): House => {
      const house = new House({ store, leaseMs: 1_000, drain: { spreadMs: 0, deadlineMs: 1_000 } });
      ends.push(() => house.broker.close());
      return house;
    };
    const publisherOf = (house: House, url: string, clientId: string): MqttPublisher => {
      const connection = { clientId, backOff: { minMs: 1, maxMs: 20 } };
      return new MqttPublisher(house.broker, { url, topic: "t/{subject}", connection, ...options });
    };
    const first = houseOn(old.store);
    const firstPublisher = publisherOf(first, relay.url, "first");
    await first.publish(0);
    await collector.until(() => collector.events.length === 1);
    old.lose();
    await first.seen("leaseLost");
    const takeOver = async () => {
      const second = houseOn(shared.store);
      const publisher = publisherOf(second, mosquitto.url, "second");
      await second.seen("mqttConnected");
      await second.publish(1);
      await collector.until(() => collector.events.length === 2);
      return { second, publisher };
    };
    const states = (): readonly unknown[] =>
      collector.frames.filter(({ type }) => type === "client.status").map(({ data }) => data["state"]);
    return { mosquitto, relay, collector, old, first, firstPublisher, takeOver, states };
  }

  it("leaves the MQTT broker, so that its will never stands over the other's word", async () => {
    const { relay, collector, first, firstPublisher, takeOver, states } = await arrange();
    await takeOver();
    expect(firstPublisher.isConnected).toBe(false);
    expect(firstPublisher.position).toBeNull();
    await expect.poll(relay.open).toBe(0);
    expect(first.moments.filter(({ kind }) => kind === "mqttDisconnected")).toMatchObject([
      { error: { code: "lease_lost" }, retryInMs: null },
    ]);
    relay.cut();
    await first.broker.close();
    await collector.settle();
    expect(states()).toEqual(["online", "online"]);
    expect(collector.events.map(({ data }) => data.n)).toEqual([0, 1]);
  });

  it("keeps its hands off the mirror", async () => {
    let snapshots = 0;
    const snapshot = () => ((snapshots += 1), new Map([["thing-0", { n: 0 }]]));
    const { relay, firstPublisher, takeOver } = await arrange({ state: { topic: "s/{subject}", snapshot } });
    expect(snapshots).toBe(1);
    relay.cut();
    firstPublisher.reconnect();
    // Its own resync takes half a second: time for the first one to come back for another.
    await takeOver();
    expect([relay.open(), snapshots]).toEqual([0, 2]);
  });

  it("comes back where the other one ended, when the place is its own again", async () => {
    const { collector, old, first, firstPublisher, takeOver, states } = await arrange();
    const { second } = await takeOver();
    await second.broker.close();
    old.find();
    await expect.poll(() => firstPublisher.isConnected).toBe(true);
    await first.publish(2);
    await collector.until(() => collector.events.length === 3);
    await expect.poll(() => firstPublisher.position).toMatchObject({ offset: 3 });
    expect(collector.events.map(({ data }) => data.n)).toEqual([0, 1, 2]);
    expect(states()).toEqual(["online", "online", "closed", "online"]);
  });
});
