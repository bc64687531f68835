import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Broker, type Event } from "@starcast/core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { NatsServer } from "../../../tests/nats-server.ts";
import { describeWith } from "../../../tests/services.ts";
import { JetStreamStore } from "../src/index.ts";

describeWith("nats-server", "a process that only publishes", (program) => {
  let server: NatsServer;
  let streams = 0;
  const brokers: Broker[] = [];
  beforeAll(async () => {
    server = await NatsServer.start(program);
  });
  afterAll(() => server.close());
  afterEach(async () => {
    for (const broker of brokers.splice(0)) await broker.close();
  });
  const open = async (stream: string): Promise<Broker> => {
    const store = await JetStreamStore.open({ servers: server.url, stream, publishTimeoutMs: 30_000 });
    const broker = new Broker({ store, observe: [] });
    brokers.push(broker);
    return broker;
  };
  const openTwo = async (): Promise<readonly [Broker, Broker]> => {
    const stream = `alone-${(streams += 1)}`;
    return [await open(stream), await open(stream)];
  };

  it("is given nothing of the stream, and knows its own place exactly", async () => {
    const stream = `alone-${(streams += 1)}`;
    const broker = await open(stream);
    const published = await Promise.all(
      Array.from({ length: 500 }, (_, index) => broker.publish("test.happened", index)),
    );
    const { epoch } = broker.store.log;
    expect(published.map(({ id }) => id)).toEqual(published.map((_, index) => `${epoch}-${index + 1}`));
    expect(broker.position).toEqual({ epoch, offset: 500 });
    expect(await consumersOf(stream)).toBe(0);
    broker.subscribe(() => undefined, { from: "latest" });
    await expect.poll(() => consumersOf(stream)).toBe(1);
  });

  it("learns within a moment what others publish, and at once when it asks", async () => {
    const [here, there] = await openTwo();
    await there.publish("test.happened", 1);
    expect(await here.store.log.refresh()).toMatchObject({ head: 1 });
    await there.publish("test.happened", 2);
    await expect.poll(() => here.position.offset).toBe(2);
  });

  it("says of an event what all others say of it", async () => {
    const [here, there] = await openTwo();
    const arrived = new Promise<Event>((resolve) => there.subscribe(resolve));
    const published = await here.publish("test.happened", { some: "data" }, { subject: "thing", dedupeKey: "once" });
    expect(JSON.stringify(await arrived)).toBe(JSON.stringify(published));
    const again = await here.publish("test.happened", {}, { dedupeKey: "once" });
    expect([again.isDuplicate, JSON.stringify(again)]).toEqual([true, JSON.stringify(published)]);
  });

  it("misses nothing when it begins to follow while everybody publishes", async () => {
    const [here, there] = await openTwo();
    const publishing = [here, there].map(async (broker) => {
      for (let number = 0; number < 300; number += 1) await broker.publish("test.happened", number);
    });
    await here.publish("test.happened", "first");
    const from = here.position;
    const seen: number[] = [];
    const all = new Promise<void>((resolve) => {
      here.attach(
        {
          deliver: ({ events }) => {
            for (const { offset } of events) seen.push(offset);
            if (seen.at(-1) === 601) resolve();
            return events.length;
          },
          gap: () => void seen.push(NaN),
          close: () => undefined,
        },
        { from },
      );
    });
    await Promise.all([...publishing, all]);
    expect(seen).toEqual(Array.from({ length: 601 - from.offset }, (_, index) => from.offset + 1 + index));
  });

  async function consumersOf(stream: string): Promise<number> {
    const connection = await connect({ servers: server.url });
    const { state } = await (await jetstreamManager(connection)).streams.info(stream);
    await connection.close();
    return state.consumer_count;
  }
});
