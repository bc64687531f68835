import { join } from "node:path";
import { Broker, type DeliveryDraft, type EventLog, type Store } from "@starcast/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { NatsServer } from "../../../tests/nats-server.ts";
import { describeWith } from "../../../tests/services.ts";
import { JetStreamStore, type JetStreamOptions } from "../src/index.ts";
import { JetStreamEventLog } from "../src/jetstream-event-log.ts";
import { NatsLink } from "../src/nats-link.ts";
import { resolveJetStreamOptions } from "../src/options.ts";

describeWith("nats-server", "while NATS is away", (program) => {
  let server: NatsServer;
  const stores: Store[] = [];
  beforeEach(async () => {
    server = await NatsServer.start(program);
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await server.close();
  });
  const open = async (options: JetStreamOptions = {}): Promise<Store> => {
    const store = await JetStreamStore.open({ servers: server.url, ...options });
    stores.push(store);
    return store;
  };

  it("publishing waits for it, and every subscriber goes on without a gap", async () => {
    const store = await open({ publishTimeoutMs: 30_000 });
    const broker = new Broker({ store, observe: [] });
    const seen = collectIds(broker);
    const before = [await broker.publish("test.happened", 1), await broker.publish("test.happened", 2)];
    await server.stop();
    await expect.poll(() => store.log.isReachable).toBe(false);
    const during = Array.from({ length: 20 }, (_, index) => broker.publish("test.happened", index));
    await server.start();
    const published = [...before, ...(await Promise.all(during))];
    await seen.through(published.at(-1)?.id ?? "");
    expect(seen.ids).toEqual(published.map(({ id }) => id));
    await broker.close();
  });

  // As by a server that has just begun, and does not know the accounts yet.
  it("being refused is an outage as any other: it is tried again until it is over", async () => {
    const passwordIs = (password: string): string => `authorization { user: me, password: ${password} }`;
    const guarded = await NatsServer.start(program, { config: passwordIs("right") });
    const credentials = { user: "me", password: "right" };
    const link = await NatsLink.open(resolveJetStreamOptions({ servers: guarded.url, credentials }));
    const tries = countTries(link);
    await guarded.stop();
    await guarded.start(passwordIs("wrong"));
    await expect.poll(tries).toBeGreaterThan(4);
    await guarded.stop();
    await guarded.start(passwordIs("right"));
    await expect.poll(() => link.isAway).toBe(false);
    await link.close();
    await guarded.close();
  });

  it("publishing fails at once, if so asked", async () => {
    const broker = new Broker({ store: await open({ whileAway: "fail" }), observe: [] });
    await broker.publish("test.happened", 1);
    await server.kill();
    const codes = new Set<unknown>();
    await expect
      .poll(async () => {
        const code: unknown = await broker.publish("test.happened", 2).then(
          () => null,
          (error: { readonly code: unknown }) => error.code,
        );
        codes.add(code);
        return code;
      })
      .toBe("connection_failed");
    expect([...codes].every((code) => code === "connection_failed" || code === "store_failed")).toBe(true);
    await broker.close();
  });

  it("publishing gives up after its time", async () => {
    const broker = new Broker({ store: await open({ publishTimeoutMs: 500 }), observe: [] });
    await server.kill();
    const codes = await Promise.all(
      [1, 2, 3].map((data) =>
        broker.publish("test.happened", data).then(
          () => null,
          (error: { readonly code: unknown }) => error.code,
        ),
      ),
    );
    for (const code of codes) expect(["connection_failed", "timed_out", "store_failed"]).toContain(code);
    await broker.close();
  });

  it("a frozen server delays, and loses nothing", async () => {
    const broker = new Broker({ store: await open({ publishTimeoutMs: 30_000 }), observe: [] });
    const seen = collectIds(broker);
    await broker.publish("test.happened", 0);
    await server.freeze();
    const during = Array.from({ length: 50 }, (_, index) => broker.publish("test.happened", index));
    server.thaw();
    const published = await Promise.all(during);
    await seen.through(published.at(-1)?.id ?? "");
    expect(seen.ids).toHaveLength(51);
    await broker.close();
  });

  it.each(["nobody", "somebody"])(
    "a frozen server is out of reach within seconds, and back: followed by %s",
    async (by) => {
      const { log } = await open();
      if (by === "somebody") log.watch(() => undefined);
      expect(log.isReachable).toBe(true);
      await server.freeze();
      await expect.poll(() => log.isReachable, { timeout: 20_000 }).toBe(false);
      server.thaw();
      await expect.poll(() => log.isReachable, { timeout: 20_000 }).toBe(true);
    },
  );

  it("a tail that was lost is found by who publishes next, before an id is given twice", async () => {
    const { log } = await open({ publishTimeoutMs: 30_000 });
    const ended = log.ended;
    await append(log, 3);
    await server.loseWhat(() => append(log, 3));
    await expect.poll(() => log.isReachable).toBe(false);
    // More than were lost: afterwards the stream is longer than it was.
    const waiting = Promise.allSettled(Array.from({ length: 10 }, () => log.append([draft])));
    await server.start();
    for (const result of await waiting) {
      if (result.status === "fulfilled") expect(result.value[0]?.position.offset).toBeGreaterThan(6);
      else expect(["store_corrupt", "log_closed"]).toContain((result.reason as { readonly code: unknown }).code);
    }
    expect(await ended).toMatchObject({ code: "store_corrupt" });
    expect((await open()).log.epoch).not.toBe(log.epoch);
  });

  it.each(["was given it", "began behind it"])(
    "a tail that was lost is found by who %s, though it grew again",
    async (who) => {
      const { log } = await open();
      const seen: number[] = [];
      const follow = (): void => void log.watch((events) => seen.push(...events.map(({ offset }) => offset)));
      if (who === "was given it") follow();
      await append(log, 3);
      await server.loseWhat(async () => {
        await append(log, 3);
        if (who === "was given it") return;
        follow();
        await hasBegun();
        await log.refresh();
      });
      const elsewhere = await NatsServer.start(program);
      await elsewhere.stop();
      await elsewhere.takeDataOf(server);
      await elsewhere.start();
      const other = await JetStreamStore.open({ servers: elsewhere.url });
      await append(other.log, 6);
      await other.close();
      await elsewhere.stop();
      await server.takeDataOf(elsewhere);
      await elsewhere.close();
      await server.start();
      expect(await log.ended).toMatchObject({ code: "store_corrupt" });
      expect(seen).toEqual(who === "was given it" ? [1, 2, 3, 4, 5, 6] : []);
      expect((await open()).log.epoch).not.toBe(log.epoch);
    },
  );

  // Streams are synced one by one: the events may all be there.
  it("deliveries that were lost end the store that knew them", async () => {
    const { log, deliveries } = await open({ publishTimeoutMs: 30_000 });
    const due = (id: string): DeliveryDraft => ({
      endpointId: "partner",
      event: { id, type: "test.happened", subject: undefined, timestamp: "2026-01-01T00:00:00.000Z", json: "1" },
      orderKey: undefined,
      dueAt: 0,
    });
    await deliveries.put([due("e-1")]);
    await loseFrom("deliveries", () => deliveries.put([due("e-2")]));
    expect(await log.ended).toMatchObject({ code: "store_corrupt" });
    await expect(log.append([draft])).rejects.toMatchObject({ code: "store_corrupt" });
  });

  it("records that were lost end the store as soon as they are asked for", async () => {
    const { log, records } = await open({ publishTimeoutMs: 1_000 });
    await records.put("a", "1");
    await loseFrom("records", () => records.put("b", "1"));
    await expect
      .poll(() => records.list("").catch(({ code }: { readonly code: unknown }) => code))
      .toBe("store_corrupt");
    expect(await log.ended).toMatchObject({ code: "store_corrupt" });
  });

  /** Loses what is written to one bucket, and nothing else. */
  async function loseFrom(bucket: string, write: () => Promise<unknown>): Promise<void> {
    const isWritten = (): Promise<unknown> => write().then(() => true, String);
    const part = join("jetstream", "$G", "streams", `KV_starcast_${bucket}`);
    await server.loseWhat(() => expect.poll(isWritten).toBe(true), part);
    await server.start();
  }

  // A leader that was just elected may answer before it has gone through all that it has.
  it("a tail is not taken for lost because its leader is still going through it", async () => {
    const resolved = resolveJetStreamOptions({ servers: server.url });
    const link = await NatsLink.open(resolved);
    const log = await JetStreamEventLog.open(link, resolved);
    await append(log, 3);
    const { streams } = link.manager;
    const truth = streams.info.bind(streams);
    const electedAt = performance.now();
    streams.info = async (...args) => {
      const info = await truth(...args);
      const reached = 1 + Math.floor((performance.now() - electedAt) / 1_500);
      const state = { ...info.state, last_seq: Math.min(reached, info.state.last_seq) };
      return { ...info, state, config: { ...info.config, num_replicas: 3 } };
    };
    expect(await log.refresh()).toEqual({ trimmedThrough: 0, head: 3 });
    await append(log, 1);
    expect(log.head).toBe(4);
    await log.close();
    await link.close();
  });

  /** When the one who follows has been sent something. */
  async function hasBegun(): Promise<void> {
    const link = await NatsLink.open(resolveJetStreamOptions({ servers: server.url }));
    const sent = async (): Promise<number> => {
      const [consumer] = await link.manager.consumers.list("starcast").next();
      return consumer?.delivered.consumer_seq ?? 0;
    };
    await expect.poll(sent).toBe(1);
    await link.close();
  }

  it("a tail that was lost ends the log that had it, and begins a new epoch", async () => {
    const store = await open();
    const broker = new Broker({ store, observe: [] });
    const ended = broker.run().then(
      () => null,
      (error: { readonly code: unknown }) => error.code,
    );
    await append(store.log, 3);
    const { epoch } = store.log;
    await server.loseWhat(() => append(store.log, 1));
    await server.start();
    expect(await ended).toBe("store_corrupt");
    const again = await open();
    expect(again.log.epoch).not.toBe(epoch);
    expect(await again.log.append([draft])).toMatchObject([{ position: { epoch: again.log.epoch } }]);
  });
});

const draft = { type: "test.happened", subject: undefined, json: "1", sizeBytes: 14, dedupeKey: undefined };

/** One after the other, each as often as it takes. */
async function append(log: EventLog, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1)
    await expect
      .poll(() =>
        log.append([draft]).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
}

/** How often the connection was tried again. */
function countTries({ connection }: NatsLink): () => number {
  let tries = 0;
  const count = async (): Promise<void> => {
    for await (const { type } of connection.status()) if (type === "reconnecting") tries += 1;
  };
  void count();
  return () => tries;
}

/** The ids a plain subscriber is given, in order. */
function collectIds(broker: Broker): { readonly ids: string[]; through(id: string): Promise<void> } {
  const ids: string[] = [];
  let onId = (): void => undefined;
  broker.subscribe((event) => {
    ids.push(event.id);
    onId();
  });
  return {
    ids,
    through: (id) =>
      new Promise((resolve) => {
        onId = () => {
          if (ids.includes(id)) resolve();
        };
        onId();
      }),
  };
}
