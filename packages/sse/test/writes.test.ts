import { maxPieceBytes } from "@starcast/core";
import type { Server, Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { PlainEventSource } from "./plain-event-source.ts";
import { serveGateway } from "./served-gateway.ts";

interface Written {
  writes: number;
  bytes: number;
}

/** Counts what is written on every connection a server takes from now on. */
function countWrites(server: Server): Written[] {
  const counts: Written[] = [];
  server.on("connection", (socket: Socket) => {
    const count: Written = { writes: 0, bytes: 0 };
    counts.push(count);
    const { write } = socket;
    socket.write = ((bytes: Uint8Array, ...rest: never[]) => {
      count.writes += 1;
      count.bytes += bytes.length;
      return write.call(socket, bytes, ...rest);
    }) as typeof write;
  });
  return counts;
}

describe("one turn's events", () => {
  it.each([
    ["one small event", 1, 200],
    ["sixteen small events", 16, 200],
    ["two hundred events", 200, 250],
    ["a thousand small events", 1_000, 200],
    ["events of nearly a piece", 3, 64_000],
    ["one event larger than a piece", 1, 200_000],
  ])("are %s in at most a write per 64 KiB for each client", async (_what, events, bytes) => {
    const served = await serveGateway();
    const counts = countWrites(served.server);
    const sources = Array.from({ length: 10 }, () => new PlainEventSource(served.url));
    for (const source of sources) await source.hear("client.connected", 1);
    for (const count of counts) Object.assign(count, { writes: 0, bytes: 0 });
    const text = "x".repeat(bytes - 150);
    await Promise.all(Array.from({ length: events }, (_, n) => served.broker.publish("model.added", { n, text })));
    for (const source of sources) await source.hear("model.added", events);
    expect(counts).toHaveLength(10);
    for (const count of counts) expect(count.writes).toBeLessThanOrEqual(Math.ceil(count.bytes / maxPieceBytes));
  });

  it("are encoded once, however many clients there are", async () => {
    let encoded = 0;
    const payload = {
      name: "counting",
      encode: (event: { readonly json: string }) => {
        encoded += 1;
        return new TextEncoder().encode(event.json);
      },
    };
    const served = await serveGateway({ sse: { payload } });
    const sources = Array.from({ length: 20 }, () => new PlainEventSource(served.url));
    for (const source of sources) await source.hear("client.connected", 1);
    for (let n = 0; n < 50; n += 1) await served.broker.publish("model.added", { n });
    for (const source of sources) await source.hear("model.added", 50);
    expect(encoded).toBe(50);
  });
});
