import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Broker, type Store } from "@starcast/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { NatsServer } from "../../../tests/nats-server.ts";
import { describeWith } from "../../../tests/services.ts";
import { JetStreamStore } from "../src/index.ts";

describeWith("nats-server", "an operator who", (program) => {
  let server: NatsServer;
  let connection: NatsConnection;
  let manager: JetStreamManager;
  const stores: Store[] = [];
  beforeEach(async () => {
    server = await NatsServer.start(program);
    connection = await connect({ servers: server.url });
    manager = await jetstreamManager(connection);
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await connection.close();
    await server.close();
  });
  const open = async (): Promise<Store> => {
    const store = await JetStreamStore.open({ servers: server.url });
    stores.push(store);
    return store;
  };

  it("deletes every consumer costs a moment, and no event", async () => {
    const broker = new Broker({ store: await open(), observe: [] });
    const seen: unknown[] = [];
    broker.subscribe(({ data }) => void seen.push(data), { onGap: () => void seen.push("gap") });
    for (const number of [1, 2, 3]) await broker.publish("test.happened", number);
    for await (const { name } of manager.consumers.list("starcast")) await manager.consumers.delete("starcast", name);
    await Promise.all([4, 5, 6].map((number) => broker.publish("test.happened", number)));
    await expect.poll(() => seen).toEqual([1, 2, 3, 4, 5, 6]);
    await broker.close();
  });

  it.each(["follows it", "only publishes to it"])("deletes the stream and makes it anew ends who %s", async (who) => {
    const { log } = await open();
    if (who === "follows it") log.watch(() => undefined);
    await log.append([draft]);
    const { config } = await manager.streams.info("starcast");
    await manager.streams.delete("starcast");
    await manager.streams.add(config);
    expect(await log.ended).toMatchObject({ code: "store_corrupt" });
    await expect(log.append([draft])).rejects.toMatchObject({ code: "store_corrupt" });
    const again = (await open()).log;
    expect(again.epoch).not.toBe(log.epoch);
    expect(await again.append([draft])).toMatchObject([{ position: { epoch: again.epoch, offset: 1 } }]);
  });
});

const draft = { type: "test.happened", subject: undefined, json: "1", sizeBytes: 14, dedupeKey: undefined };
