import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "@starcast/testing";
import { SqliteStore } from "@starcast/sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { CrowdServer } from "./crowd/crowd.ts";
import type { CrowdState } from "./crowd/server.ts";
import { openHouse } from "./storm/house.ts";
import { Life, judge } from "./storm/life.ts";

const stalled = 1_000;
/** What is small is gathered, what is large goes out as it is: on average 8,000 bytes. */
const eventBytes = [200, 2_000, 6_000, 10_000, 21_800];

describe("a thousand clients that never read, each at a place of its own", () => {
  it("cost less than 64 MiB and no work, are closed as too slow, and a healthy client gets everything", async () => {
    const server = await CrowdServer.start({ stallMs: 10_000 });
    // Twice what a kernel hides of a client that does not read: whoever begins in the first half has enough to be full.
    const { position } = await server.publish(2.5 * stalled, ...eventBytes);
    const random = seededRandom(1);
    // These have read everything: what the log holds for both transports is there before.
    const start = { epoch: position.epoch, offset: 0 };
    const healthy = [new Life(server.url, "websocket", random, start), new Life(server.url, "sse", random, start)];
    onTestFinished(() => healthy.forEach((life) => life.end()));
    await Promise.all(healthy.map((life) => life.reached(position.offset)));
    const before = await server.publish(0);

    const then = await stalledAt(server, position.epoch);
    expect((then.greatestBytes - before.residentBytes) / 1_048_576).toBeLessThan(64);

    // Of what is published now next to nothing is written to them, so that nobody waits for them: it would be 200 MB.
    const after = await server.publish(200, 1_000);
    await Promise.all(healthy.map((life) => life.reached(after.position.offset)));
    expect(after.bytesWritten - then.bytesWritten).toBeLessThan(20_000_000);

    const end = await server.until(({ tooSlow }) => tooSlow === stalled);
    expect(end.connections).toBe(healthy.length);
    const { position: last } = await server.publish(10, 1_000);
    await Promise.all(healthy.map((life) => life.reached(last.offset)));
    for (const life of healthy) expect([judge(life), life.gaps, life.reconnects]).toEqual(["whole", [], 1]);
  });

  // The bytes of the events they begin to read are made for them, in both transports, and stay with the log's events.
  it("cost less than 64 MiB where they are the first to come, of a process that has served nobody", async () => {
    const server = await CrowdServer.start({ stallMs: 60_000 });
    await server.publish(2.5 * stalled, 6_000);
    const { position, residentBytes } = await server.publish(0);
    const { greatestBytes } = await stalledAt(server, position.epoch);
    expect((greatestBytes - residentBytes) / 1_048_576).toBeLessThan(64);
  });
});

describe("clients that do not read for a while, of a log that keeps", () => {
  it("catch up from where they were and lose nothing, though they were closed meanwhile", async () => {
    const folder = mkdtempSync(join(tmpdir(), "starcast-slow-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const store = await SqliteStore.open(join(folder, "events.db"), { retention: { maxBytes: 268_435_456 } });
    const { broker, url } = await openHouse({ store, stallMs: 1_000 });
    const random = seededRandom(2);
    const lives = Array.from({ length: 10 }, (_, n) => new Life(url, n % 2 === 0 ? "websocket" : "sse", random));
    onTestFinished(() => lives.forEach((life) => life.end()));
    await Promise.all(lives.map((life) => life.connected()));
    // Each stops at a place of its own, and the memory of the broker (10,000 events, 32 MiB) moves on.
    for (const life of lives) {
      await broker.publish("slow.event", { n: 0 });
      life.stopReading();
    }
    const text = "x".repeat(100_000);
    for (let n = 0; n < 450; n += 1) await broker.publish("slow.event", { n, text });
    while (broker.subscriberCount > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    lives.forEach((life) => life.readOn());
    await Promise.all(lives.map((life) => life.reached(broker.position.offset)));
    for (const life of lives) expect([judge(life), life.gaps]).toEqual(["whole", []]);
    expect(lives.every(({ reconnects }) => reconnects > 1)).toBe(true);
  });
});

/** Lets them come, until the kernel takes no more for any of them; and says how large the process was at most. */
async function stalledAt(server: CrowdServer, epoch: string): Promise<CrowdState & { readonly greatestBytes: number }> {
  const clients = Array.from({ length: stalled }, (_, n) =>
    neverReads(server.port, `${epoch}-${n + 1}`, n % 2 === 0 ? upgrade : ""),
  );
  onTestFinished(() => clients.forEach((socket) => socket.destroy()));
  let greatestBytes = 0;
  const state = await server.until(({ full, tooSlow, residentBytes }) => {
    greatestBytes = Math.max(greatestBytes, residentBytes);
    // Where kernels are slow to fill, the first are closed before the last are full.
    return full + tooSlow >= stalled;
  });
  return { ...state, greatestBytes };
}

const upgrade =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

function neverReads(port: number, after: string, fields: string): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.pause();
  // Cut off in the end, as it should be.
  socket.on("error", () => undefined);
  socket.write(`GET /events?after=${after} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${fields}\r\n`);
  return socket;
}
