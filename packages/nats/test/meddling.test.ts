import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Broker, type Claim, type DeliveryDraft, type Store } from "@starcast/core";
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

  it("takes out a checkpoint leaves no lease of before that could move the next", async () => {
    const { checkpoints } = await open();
    const before = await checkpoints.acquire("place", 60_000);
    if (before === null) throw new Error("Expected a lease, got none");
    await expect.poll(() => Date.now()).toBeGreaterThan(before.revision);
    await manager.streams.purge("KV_starcast_checkpoints");
    expect(await checkpoints.acquire("place", 60_000)).not.toBeNull();
    await expect(checkpoints.save(before, { epoch: "e", offset: 1 })).rejects.toMatchObject({ code: "lease_lost" });
    expect(await checkpoints.load("place")).toBeNull();
  });

  // So it is for a process that was away until the marks of removals had been taken out.
  it("takes out deliveries leaves none that is tried again and again, or stands in the way of others", async () => {
    const { deliveries } = await open();
    const due = (id: string, dueAt: number): DeliveryDraft => ({
      endpointId: "partner",
      event: { id, type: "test.happened", subject: undefined, timestamp: "2026-01-01T00:00:00.000Z", json: "1" },
      orderKey: undefined,
      dueAt,
    });
    const claimAll = (): Promise<readonly Claim[]> =>
      deliveries.claimDue({ now: Date.now(), limit: 10, perEndpoint: () => 10, leaseMs: 1 });
    const attempt = { at: 0, tookMs: 1, category: "succeeded", status: 200, answer: null };
    await deliveries.put([due("e-1", 0)]);
    for (const claim of await claimAll()) await deliveries.succeed(claim, attempt);
    await deliveries.put([due("e-2", 0)]);
    await manager.streams.purge("KV_starcast_deliveries");
    await expect.poll(async () => [...(await claimAll()), await deliveries.nextDueAt(() => true)]).toEqual([null]);
    await deliveries.put([due("e-3", 0)]);
    for (const claim of await claimAll()) await deliveries.succeed(claim, attempt);
    await deliveries.forget(Date.now() + 1_000, 1);
    expect(await deliveries.forget(Date.now() + 1_000, 1)).toBe(1);
    expect((await deliveries.list({}, { limit: 10 })).deliveries).toEqual([]);
  });
});

const draft = { type: "test.happened", subject: undefined, json: "1", sizeBytes: 14, dedupeKey: undefined };
