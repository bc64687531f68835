import { jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
import { connect, nkeys } from "@nats-io/transport-node";
import { Broker } from "@starcast/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NatsServer } from "../../../tests/nats-server.ts";
import { describeWith } from "../../../tests/services.ts";
import { makeCreds } from "./creds.ts";
import { makeCertificates } from "./certificates.ts";
import { JetStreamStore, type JetStreamOptions } from "../src/index.ts";

describe("options that cannot be used", () => {
  it.each([
    [{ servers: [] }, "servers"],
    [{ servers: "nats://me:secret@localhost:4222" }, "servers"],
    [{ stream: "a.b" }, "stream"],
    [{ stream: "" }, "stream"],
    [{ replicas: 0 }, "replicas"],
    [{ maxInFlight: NaN }, "maxInFlight"],
    [{ publishTimeoutMs: -1 }, "publishTimeoutMs"],
    [{ whileAway: "hope" }, "whileAway"],
    [{ credentials: "secret" }, "credentials"],
    [{ credentials: { nkeySeed: new TextEncoder().encode("secret") } }, "credentials"],
    [{ tls: { cafile: "x" } }, "tls"],
    [{ retention: { maxEvents: 1 } }, "retention.maxEvents"],
    [{ retention: { maxAgeMs: 60_000 }, dedupeWindowMs: 60_001 }, "dedupeWindowMs"],
    [{ strem: "x" }, "JetStreamOptions"],
  ])("%j are refused by the name of %s, without a secret", async (options, option) => {
    const error: unknown = await JetStreamStore.open(options as JetStreamOptions).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "invalid_option", option });
    expect(String(error)).not.toContain("secret");
  });
});

describeWith("nats-server", "opening a JetStream store", (program) => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await NatsServer.start(program);
  });
  afterAll(() => server.close());

  const good: Partial<StreamConfig> & { readonly name: string } = {
    name: "made",
    subjects: ["made.events"],
    deny_delete: true,
    deny_purge: true,
  };

  it.each([
    ["deny_delete: true", { deny_delete: false }],
    ["deny_purge: true", { deny_purge: false }],
    ["no max_msgs_per_subject", { max_msgs_per_subject: 5 }],
    ["subjects", { subjects: ["made.events", "made.more"] }],
    ["discard: old", { discard: "new" as const, max_msgs: 100 }],
    ["storage: file", { storage: "memory" as const }],
    ["retention: limits", { retention: "interest" as const }],
    ["no max_msg_size", { max_msg_size: 1_000 }],
  ])("refuses a stream without %s, and leaves it as it is", async (what, wrong) => {
    const connection = await connect({ servers: server.url });
    const { streams } = await jetstreamManager(connection);
    await streams.add({ ...good, ...wrong } as typeof good);
    await expect(JetStreamStore.open({ servers: server.url, stream: "made" })).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining(what) as string,
    });
    expect((await streams.info("made")).config).toMatchObject(wrong);
    await streams.delete("made");
    await connection.close();
  });

  it("takes a stream that others made as it has to be, whatever it retains", async () => {
    const connection = await connect({ servers: server.url });
    const { streams } = await jetstreamManager(connection);
    await streams.add({ ...good, max_msgs: 123 });
    await connection.close();
    const store = await JetStreamStore.open({ servers: server.url, stream: "made" });
    expect(store.log.retention).toEqual({ maxEvents: 123, maxBytes: Infinity });
    await store.close();
  });

  it("remembers dedupe keys for no longer than events, as JetStream does", async () => {
    const retention = { maxAgeMs: 60_000 };
    const store = await JetStreamStore.open({ servers: server.url, stream: "short", retention });
    const draft = { type: "test.happened", subject: undefined, json: "1", sizeBytes: 14, dedupeKey: "a" };
    expect(await store.log.append([draft])).toMatchObject([{ isDuplicate: false }]);
    expect(await store.log.append([draft])).toMatchObject([{ isDuplicate: true }]);
    await store.close();
  });

  it("refuses a server without JetStream", async () => {
    const plain = await NatsServer.start(program, { jetstream: false });
    await expect(JetStreamStore.open({ servers: plain.url })).rejects.toMatchObject({ code: "unsupported" });
    await plain.close();
  });

  it("says that nobody is there", async () => {
    const gone = await NatsServer.start(program);
    await gone.close();
    await expect(JetStreamStore.open({ servers: gone.url })).rejects.toMatchObject({ code: "connection_failed" });
  });

  it("refuses to append behind another writer, if it has to be the only one", async () => {
    const options = { servers: server.url, stream: "single" };
    const only = await JetStreamStore.open({ ...options, isSingleWriter: true });
    const other = await JetStreamStore.open(options);
    const draft = { type: "test.happened", subject: undefined, json: "1", sizeBytes: 14, dedupeKey: undefined };
    const dense = await Promise.all(Array.from({ length: 10 }, () => only.log.append([draft])));
    expect(dense.map(([each]) => each?.position.offset)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await other.log.append([draft]);
    // Not known here yet, or known already: what is appended never stands behind an event that was not seen.
    const code: unknown = await only.log.append([draft]).then(
      () => null,
      (error: { readonly code: unknown }) => error.code,
    );
    expect([null, "store_locked"]).toContain(code);
    await Promise.all([only.close(), other.close()]);
  });

  it("refuses an event that is larger than the server takes, by its name", async () => {
    const small = await NatsServer.start(program, { config: "max_payload: 16384" });
    const broker = new Broker({ store: await JetStreamStore.open({ servers: small.url }), observe: [] });
    await expect(broker.publish("test.happened", "x".repeat(16_384))).rejects.toMatchObject({
      code: "event_too_large",
    });
    expect((await broker.publish("test.happened", "x".repeat(4_096))).id).toMatch(/-1$/);
    await expect(broker.store.records.put("large", "x".repeat(16_384))).rejects.toMatchObject({
      code: "event_too_large",
      message: expect.stringContaining("max_payload") as string,
    });
    await broker.close();
    await small.close();
  });

  it("says that the server has no room, at the opening or when it is used up", async () => {
    const small = await NatsServer.start(program, { config: "jetstream { max_file_store: 1048576 }" });
    const open = (maxBytes: number): Promise<JetStreamStore> =>
      JetStreamStore.open({ servers: small.url, retention: { maxBytes } });
    await expect(open(2_097_152)).rejects.toMatchObject({ code: "store_full" });
    const broker = new Broker({ store: await open(Infinity), observe: [] });
    const published = await Promise.allSettled(
      Array.from({ length: 40 }, () => broker.publish("test.happened", "x".repeat(65_536))),
    );
    const codes = published.map((each) =>
      each.status === "fulfilled" ? null : (each.reason as { code: unknown }).code,
    );
    expect(new Set(codes)).toEqual(new Set([null, "store_full"]));
    await broker.close();
    await small.close();
  });

  describe("that asks who it is", () => {
    it.each([
      ["a token", ["--auth", "s3cret-token"], { token: "s3cret-token" }],
      ["a user", ["--user", "me", "--pass", "s3cret-word"], { user: "me", password: "s3cret-word" }],
    ])("by %s", async (_, flags, credentials) => {
      const guarded = await NatsServer.start(program, { flags });
      const store = await JetStreamStore.open({ servers: guarded.url, credentials });
      await store.close();
      for (const wrong of [undefined, { token: "wrong" }]) {
        const error: unknown = await JetStreamStore.open({ servers: guarded.url, credentials: wrong }).catch(
          (reason: unknown) => reason,
        );
        expect(error).toMatchObject({ code: "not_authorized" });
        expect(JSON.stringify(error)).not.toContain("s3cret");
      }
      await guarded.close();
    });

    it("with no more rights than docs/operations.md names", async () => {
      const buckets = ["checkpoints", "records", "deliveries", "delivered"].map((each) => `"$KV.starcast_${each}.>"`);
      const publish = `"starcast.events", ${buckets.join(", ")}, "$JS.API.>", "$JS.FC.>"`;
      const subscribe = `"_INBOX.>", "$JS.EVENT.ADVISORY.STREAM.>"`;
      const permissions = `{ publish: [${publish}], subscribe: [${subscribe}] }`;
      const guarded = await NatsServer.start(program, {
        config: `authorization { users = [ { user: gateway, password: word, permissions: ${permissions} } ] }`,
      });
      const credentials = { user: "gateway", password: "word" };
      const store = await JetStreamStore.open({ servers: guarded.url, credentials, publishTimeoutMs: 10_000 });
      const broker = new Broker({ store, observe: [] });
      const published = await broker.publish("test.happened", 1);
      expect(await store.log.read(0, { maxEvents: 10, maxBytes: Infinity })).toMatchObject([{ type: "test.happened" }]);
      expect(published.id).toMatch(/-1$/);
      await store.records.put("a/b", "c");
      expect(await store.records.list("a/")).toMatchObject([{ key: "a/b", value: "c" }]);
      expect(await store.checkpoints.acquire("place", 1_000)).toMatchObject({ name: "place" });
      await broker.close();
      await guarded.close();
    });

    it("and refuses what it may not publish, by its subject, at once", async () => {
      const permissions = `{ publish: { deny: ["starcast.events", "$KV.starcast_records.>"] } }`;
      const guarded = await NatsServer.start(program, {
        config: `authorization { users = [ { user: reader, password: word, permissions: ${permissions} } ] }`,
      });
      const credentials = { user: "reader", password: "word" };
      const store = await JetStreamStore.open({ servers: guarded.url, credentials, publishTimeoutMs: 600_000 });
      const forbidden = (subject: string) => ({
        code: "not_authorized",
        message: expect.stringContaining(subject) as string,
      });
      const draft = { type: "test.happened", subject: undefined, json: "1", sizeBytes: 14, dedupeKey: undefined };
      const [first, second, kept] = await Promise.allSettled([
        store.log.append([draft]),
        store.log.append([{ ...draft, dedupeKey: "a" }]),
        store.records.put("a", "b"),
      ]);
      expect(first).toMatchObject({ reason: forbidden("starcast.events") });
      expect(second).toMatchObject({ reason: forbidden("starcast.events") });
      expect(kept).toMatchObject({ reason: forbidden("$KV.starcast_records.a") });
      expect(await store.checkpoints.acquire("place", 1_000)).toMatchObject({ name: "place" });
      await store.close();
      await guarded.close();
    });

    it("by a .creds file", async () => {
      const { config, creds, ofSomebodyElse } = makeCreds();
      const guarded = await NatsServer.start(program, { config });
      const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
      const store = await JetStreamStore.open({ servers: guarded.url, credentials: { creds: bytes(creds) } });
      await store.close();
      const refused = JetStreamStore.open({ servers: guarded.url, credentials: { creds: bytes(ofSomebodyElse) } });
      await expect(refused).rejects.toMatchObject({ code: "not_authorized" });
      await guarded.close();
    });

    it("by an nkey", async () => {
      const user = nkeys.createUser();
      const guarded = await NatsServer.start(program, {
        config: `authorization { users = [ { nkey: ${user.getPublicKey()} } ] }`,
      });
      const store = await JetStreamStore.open({ servers: guarded.url, credentials: { nkeySeed: user.getSeed() } });
      await store.close();
      await guarded.close();
    });
  });
});

describeWith("openssl", "opening a JetStream store through TLS", (openssl) => {
  describeWith("nats-server", "with an authority of one's own", (program) => {
    it("trusts that authority, and nobody else's", async () => {
      const files = await makeCertificates(openssl);
      const secure = await NatsServer.start(program, {
        config: `tls { cert_file: "${files.cert}", key_file: "${files.key}" }`,
      });
      const store = await JetStreamStore.open({ servers: secure.url, tls: { caFile: files.cert } });
      await store.close();
      await expect(JetStreamStore.open({ servers: secure.url })).rejects.toMatchObject({ code: "connection_failed" });
      await secure.close();
      await files.remove();
    });
  });
});
