import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { EventLog, Store } from "@starcast/core";
import { describeCheckpoints, describeDeliveries, describeEventLog, describeRecords } from "@starcast/testing";
import { afterAll, afterEach, beforeAll } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { JetStreamStore, type JetStreamOptions } from "../src/index.ts";
import { NatsServer } from "../../../tests/nats-server.ts";

describeWith("nats-server", "the JetStream engine", (program) => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await NatsServer.start(program);
  });
  afterAll(() => server.close());

  let streams = 0;
  const opened = new Map<object, { readonly store: Store; readonly options: JetStreamOptions }>();
  const open = async (options: JetStreamOptions): Promise<Store> => {
    const store = await JetStreamStore.open(options);
    for (const part of [store.log, store.checkpoints, store.deliveries, store.records])
      opened.set(part, { store, options });
    return store;
  };
  // Small: the server sets aside what a stream may grow to, and has to do so for every test.
  const retention = { maxEvents: 1_000, maxBytes: 1_000_000 };
  const fresh = (options: JetStreamOptions = {}): Promise<Store> =>
    open({ servers: server.url, stream: `stream-${(streams += 1)}`, retention, ...options });
  const ofPart = (part: object) => {
    const found = opened.get(part);
    if (found === undefined) throw new Error("Expected a part of a store of this test, got another");
    return found;
  };
  const reopen = async (part: object): Promise<Store> => {
    const { store, options } = ofPart(part);
    await store.close();
    return open(options);
  };
  afterEach(async () => {
    for (const { store } of opened.values()) await store.close();
    opened.clear();
  });

  describeEventLog("JetStream", {
    open: async ({ retention, dedupeWindowMs, surroundings }) =>
      (await fresh({ retention, dedupeWindowMs, surroundings })).log,
    reopen: async (log) => (await reopen(log)).log,
    join: async (log) => (await open(ofPart(log).options)).log,
    trim: async (log) => void (await log.refresh()),
    regress: (log) => recreate(log),
    durable: true,
    shared: true,
    ownClock: true,
  });
  describeCheckpoints("JetStream", {
    open: async ({ surroundings }) => (await fresh({ surroundings })).checkpoints,
    reopen: async (checkpoints) => (await reopen(checkpoints)).checkpoints,
    durable: true,
  });
  describeDeliveries("JetStream", {
    open: async ({ surroundings, maxPerEndpoint }) => fresh({ surroundings, maxPerEndpoint }),
    reopen: async ({ deliveries }) => reopen(deliveries),
    durable: true,
  });
  describeRecords("JetStream", {
    open: async () => (await fresh()).records,
    reopen: async (records) => (await reopen(records)).records,
    join: async (records) => (await open(ofPart(records).options)).records,
    durable: true,
    shared: true,
  });

  /** The stream is deleted, and made again under its name. */
  async function recreate(log: EventLog): Promise<EventLog> {
    const { store, options } = ofPart(log);
    await store.close();
    const connection = await connect({ servers: server.url });
    await (await jetstreamManager(connection)).streams.delete(options.stream ?? "");
    await connection.close();
    return (await open(options)).log;
  }
});
