import { connect, type PositionStore } from "@starcast/client";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

const timestamp = "2026-01-01T00:00:00.000Z";

/** A gateway that greets and sends one event that is newer than its greeting; returns its URL. */
async function greetAndSend(id: string): Promise<string> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: () => "starcast.v1" });
  server.on("connection", (socket) => {
    const data = { clientId: "c", position: "k-1", resumed: true, heartbeatMs: 60_000 };
    socket.send(JSON.stringify({ type: "client.connected", timestamp, data }));
    socket.send(JSON.stringify({ id, type: "number.drawn", timestamp: "2026-01-01T00:00:01.000Z", data: { n: 2 } }));
  });
  await new Promise((resolve) => void server.once("listening", resolve));
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a port");
  return `ws://127.0.0.1:${address.port}/events`;
}

const runtime = { webSocket: WebSocket as never, warn: () => undefined };

/** Remembers what was saved last, under whatever key. */
function lastSaved(): { readonly positions: PositionStore; position: string | null } {
  const kept = {
    position: null as string | null,
    positions: { load: () => kept.position, save: (_key: string, position: string) => void (kept.position = position) },
  };
  return kept;
}

describe("a client that is closed", () => {
  it("by a listener of its state saves no event that nobody was told", async () => {
    const kept = lastSaved();
    const told: string[] = [];
    const url = await greetAndSend("k-2");
    const client = connect({ url, transport: "websocket", after: "k-1", positions: kept.positions, runtime });
    client.on("**", ({ id }) => void told.push(id));
    await new Promise<void>((resolve) => {
      client.on("state", ({ kind }) => {
        if (kind === "live") void client.close().then(resolve);
      });
    });
    expect({ told, saved: kept.position }).toEqual({ told: [], saved: "k-1" });
  });

  it("by a listener of a gap saves no event that nobody was told", async () => {
    const kept = lastSaved();
    const told: string[] = [];
    // Of another log, and no gap was announced.
    const url = await greetAndSend("m-7");
    const client = connect({ url, transport: "websocket", after: "k-1", positions: kept.positions, runtime });
    client.on("**", ({ id }) => void told.push(id));
    await new Promise<void>((resolve) => void client.on("gap", () => void client.close().then(resolve)));
    expect({ told, saved: kept.position }).toEqual({ told: [], saved: "m-6" });
  });

  it("by a listener of an event still gives that event to its loops", async () => {
    const url = await greetAndSend("k-2");
    const client = connect({ url, transport: "websocket", after: "k-1", runtime });
    client.on("number.drawn", () => void client.close());
    const ids: string[] = [];
    for await (const { id } of client) ids.push(id);
    expect(ids).toEqual(["k-2"]);
  });
});
