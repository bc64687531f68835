import { maxPieceBytes } from "@starcast/core";
import type { Server, Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { Client } from "./client.ts";
import { openHouse } from "./listen.ts";

interface Written {
  writes: number;
  bytes: number;
  /** Where the bytes lie. */
  memory: Set<ArrayBufferLike>;
}

/** Counts what is written on every connection a server takes from now on. */
function countWrites(server: Server): Written[] {
  const counts: Written[] = [];
  server.on("connection", (socket: Socket) => {
    const count: Written = { writes: 0, bytes: 0, memory: new Set() };
    counts.push(count);
    const { write } = socket;
    socket.write = ((bytes: Uint8Array, ...rest: never[]) => {
      if (bytes.length > 0) count.writes += 1;
      count.bytes += bytes.length;
      if (bytes.length > 0) count.memory.add(bytes.buffer);
      return write.call(socket, bytes, ...rest);
    }) as typeof write;
  });
  return counts;
}

describe("one turn's events", () => {
  it.each([
    ["one small event", 1, 200],
    ["sixteen small events", 16, 200],
    ["a thousand small events", 1_000, 200],
    ["events of nearly a piece", 3, 64_000],
    ["one event larger than a piece", 1, 200_000],
  ])("are %s in at most a write per 64 KiB for each client", async (_what, events, bytes) => {
    const { server, url, broker } = await openHouse();
    const counts = countWrites(server);
    const clients = Array.from({ length: 10 }, () => new Client(url));
    for (const client of clients) await client.frame("client.connected");
    for (const count of counts) Object.assign(count, { writes: 0, bytes: 0, memory: new Set() });
    const text = "x".repeat(bytes - 150);
    await Promise.all(Array.from({ length: events }, (_, n) => broker.publish("model.added", { n, text })));
    for (const client of clients) await client.eventCount(events);
    expect(counts).toHaveLength(10);
    for (const count of counts) expect(count.writes).toBeLessThanOrEqual(Math.ceil(count.bytes / maxPieceBytes) * 1.05);
    // Made once: what one client is written is what all are written.
    const [first] = counts;
    expect(new Set(counts.flatMap(({ memory }) => [...memory])).size).toBe(first?.memory.size);
  });
});
