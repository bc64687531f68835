import { MemoryStore } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { PlainEventSource } from "./plain-event-source.ts";
import { RawConversation } from "./raw-conversation.ts";
import { serveGateway, type Served } from "./served-gateway.ts";

const blob = "x".repeat(200_000);

/** Publishes until what a client does not read fills its kernel's buffers. */
async function publishMegabytes(served: Served, megabytes: number): Promise<void> {
  for (let n = 0; n < megabytes * 5; n += 1) await served.broker.publish("model.added", { n, blob });
}

/** A client that asks for the stream and never reads it. */
async function neverReads(served: Served, path = "/events"): Promise<RawConversation> {
  const conversation = await RawConversation.open(served.port);
  conversation.socket.pause();
  conversation.say(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return conversation;
}

/** One reads all of twenty megabytes, the other nothing. */
async function stalledBesideHealthy(served: Served): Promise<{ healthy: PlainEventSource; slow: RawConversation }> {
  const healthy = new PlainEventSource(served.url);
  await healthy.hear("client.connected", 1);
  const slow = await neverReads(served);
  while (served.gateway.connectionCount < 2) await new Promise(setImmediate);
  await publishMegabytes(served, 20);
  await healthy.hear("model.added", 100);
  return { healthy, slow };
}

describe("a client that never reads", () => {
  it("is closed as too slow after the limit, and nobody else notices", async () => {
    const served = await serveGateway({ sse: { heartbeatMs: 1_000 } });
    const { healthy, slow } = await stalledBesideHealthy(served);
    const [lag, ...others] = served.gateway.slowest();
    expect(others).toEqual([]);
    expect(lag?.lagEvents).toBeGreaterThan(0);
    expect(lag?.position).toMatch(new RegExp(`-${100 - (lag?.lagEvents ?? 0)}$`));
    expect(lag?.unsentBytes).toBeGreaterThan(0);
    served.skip(29_000);
    await served.broker.publish("model.added", { n: "still there" });
    await healthy.hear("model.added", 101);
    expect(served.gateway.connectionCount).toBe(2);
    served.skip(2_000);
    expect(await served.seen("clientStalled")).toMatchObject({ level: "warn", gateway: "sse" });
    expect(await served.seen("clientClosed")).toMatchObject({ reason: "too_slow" });
    expect(served.gateway.connectionCount).toBe(1);
    await served.broker.publish("model.added", { n: "afterwards" });
    await healthy.hear("model.added", 102);
    slow.socket.destroy();
  });

  it("holds at most a piece in this process", async () => {
    const sockets: { writableLength: number }[] = [];
    const served = await serveGateway();
    served.server.on("connection", (socket) => sockets.push(socket));
    await neverReads(served);
    await served.seen("clientConnected");
    await publishMegabytes(served, 20);
    // One event alone is larger than a piece here.
    expect(sockets.map(({ writableLength }) => writableLength <= 210_000)).toEqual([true]);
  });

  it("gets everything from its place when it reads again, as far as the log reaches", async () => {
    const served = await serveGateway({ broker: { store: new MemoryStore({ retention: { maxBytes: 67_108_864 } }) } });
    const slow = await neverReads(served);
    await served.seen("clientConnected");
    await publishMegabytes(served, 20);
    slow.socket.resume();
    await slow.until('{"n":99,');
    const numbers = [...slow.text.matchAll(/"data":\{"n":(\d+),/g)].map(([, n]) => Number(n));
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(slow.text).not.toContain("client.gap");
  });

  it("is told of the gap when the log has moved on meanwhile, with the next id right behind", async () => {
    const served = await serveGateway({ broker: { store: new MemoryStore({ retention: { maxEvents: 20 } }) } });
    const slow = await neverReads(served);
    await served.seen("clientConnected");
    await publishMegabytes(served, 20);
    slow.socket.resume();
    await slow.until('{"n":99,');
    const numbers = [...slow.text.matchAll(/"data":\{"n":(\d+),/g)].map(([, n]) => Number(n) + 1);
    const gap = /client\.gap".*?"after":"\w+-(\d+)","through":"\w+-(\d+)"/.exec(slow.text)?.slice(1).map(Number) ?? [];
    const [after = 0, through = 0] = gap;
    expect(numbers).toEqual([
      ...Array.from({ length: after }, (_, index) => index + 1),
      ...Array.from({ length: 100 - through }, (_, index) => through + 1 + index),
    ]);
    expect(through).toBeGreaterThan(after);
  });

  it("is told that its grant has ended as soon as it reads again", async () => {
    const expiresAt = Date.now() + 1_000_000;
    const served = await serveGateway({
      sse: {
        heartbeatMs: 1_000,
        stallMs: 3_600_000,
        maxAgeMs: Infinity,
        authorize: () => ({ identity: null, expiresAt }),
      },
    });
    const { healthy, slow } = await stalledBesideHealthy(served);
    served.skip(1_000_001);
    await healthy.hear("client.closing", 1);
    slow.socket.resume();
    expect(await slow.until("event: client.closing")).toContain('"reason":"unauthorized"');
    expect(served.gateway.connectionCount).toBe(2);
  });

  // Told while it did not read, its time began anew with each change of the store.
  it("is closed in time however often the store comes and goes meanwhile", async () => {
    const store = new MemoryStore({ retention: { maxBytes: 67_108_864 } });
    const served = await serveGateway({ broker: { store }, sse: { heartbeatMs: 1_000 } });
    const healthy = new PlainEventSource(served.url);
    await healthy.hear("client.connected", 1);
    await neverReads(served);
    while (served.gateway.connectionCount < 2) await new Promise(setImmediate);
    await publishMegabytes(served, 20);
    await healthy.hear("model.added", 100);
    served.skip(20_000);
    Object.assign(store.log, { isReachable: false });
    await healthy.until(() => healthy.heard.at(-1)?.data.includes("store_unreachable") === true);
    served.skip(10_000);
    expect(await served.seen("clientClosed")).toMatchObject({ reason: "too_slow" });
  });

  it("is told that the store is back once it reads again", async () => {
    const store = new MemoryStore({ retention: { maxBytes: 67_108_864 } });
    const served = await serveGateway({ broker: { store }, sse: { heartbeatMs: 1_000 } });
    const healthy = new PlainEventSource(served.url);
    const slow = await neverReads(served);
    slow.socket.resume();
    Object.assign(store.log, { isReachable: false });
    await Promise.all([slow.until("store_unreachable"), healthy.hear("client.heartbeat", 1)]);
    slow.socket.pause();
    await publishMegabytes(served, 20);
    await healthy.hear("model.added", 100);
    Object.assign(store.log, { isReachable: true });
    await healthy.until(() => /"position":"[^"]*"}}/.test(healthy.heard.at(-1)?.data ?? ""));
    slow.socket.resume();
    await slow.until('{"n":99,');
    await slow.until(/"type":"client\.heartbeat"[^\n]*"position":"[^"]*"\}\}\n/);
  });

  it("does not hold up a drain beyond its deadline, which says so", async () => {
    const served = await serveGateway({ broker: { drain: { spreadMs: 0, deadlineMs: 300 } } });
    await neverReads(served);
    await served.seen("clientConnected");
    await publishMegabytes(served, 20);
    await served.broker.close();
    expect(await served.seen("clientClosed")).toMatchObject({ reason: "restart" });
    expect(served.gateway.connectionCount).toBe(0);
  });
});

it("hundreds of clients that never read, each at its own place, cost little and leave together", async () => {
  const clients = 200;
  const served = await serveGateway({
    sse: { heartbeatMs: 1_000, connections: { maxNewPerSecond: 10_000 } },
    broker: { store: new MemoryStore({ retention: { maxBytes: 67_108_864 } }) },
  });
  const stuck: RawConversation[] = [];
  for (let n = 0; n < clients; n += 1) {
    const { id } = await served.broker.publish("model.added", { n, blob: blob.slice(0, 50_000) });
    stuck.push(await neverReads(served, `/events?after=${id}`));
  }
  await publishMegabytes(served, 12);
  const healthy = new PlainEventSource(served.url);
  await healthy.hear("client.connected", 1);
  await served.broker.publish("model.added", { n: "healthy" });
  await healthy.hear("model.added", 1);
  served.skip(31_000);
  while (served.gateway.connectionCount > 1) await new Promise(setImmediate);
  const tooSlow = served.moments.filter((moment) => moment.kind === "clientClosed" && moment.reason === "too_slow");
  expect(tooSlow).toHaveLength(clients);
  for (const { socket } of stuck) socket.destroy();
});
