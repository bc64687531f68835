import { allowAnyone } from "@starcast/core/gateway";
import type { ClientFrame, EventFrame } from "@starcast/core/wire";
import { describeSubscriber, type Arrival, type Receiver } from "@starcast/testing";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe } from "vitest";
import { WebSocketGateway } from "../src/index.ts";
import { Client } from "./client.ts";

describe.each(["none", "shared"] as const)("with compression %s", (compression) => {
  describeSubscriber("@starcast/websocket", {
    resumes: true,
    filters: true,
    durable: false,
    // What it publishes compresses so well that nobody stalls.
    canStall: compression === "none",
    async start(broker) {
      const server = createServer().listen(0, "127.0.0.1");
      const gateway = new WebSocketGateway(broker, {
        server,
        authorize: allowAnyone,
        compression,
        minCompressedClients: 1,
      });
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      return {
        async connect({ after, types = ["**"] } = {}) {
          const query = new URLSearchParams({ types: types.join(","), after: after ?? "latest" });
          const client = new Client(`ws://127.0.0.1:${port}/events?${query}`);
          await client.frame("client.connected");
          return receive(client, gateway);
        },
        async close() {
          await gateway.close();
          server.closeAllConnections();
          server.close();
        },
      };
    },
  });
});

function receive(client: Client, gateway: WebSocketGateway): Receiver {
  let read = 0;
  return {
    async next() {
      for (;;) {
        const arrival = arrivalOf(await client.until(() => client.frames[read]));
        read += 1;
        if (arrival !== null) return arrival;
      }
    },
    async disconnect() {
      const { connectionCount } = gateway;
      client.socket.terminate();
      while (gateway.connectionCount === connectionCount) await new Promise(setImmediate);
    },
    stall: () => client.socket.pause(),
    unstall: () => client.socket.resume(),
  };
}

function arrivalOf(frame: ClientFrame | EventFrame): Arrival | null {
  if ("id" in frame) return { kind: "event", id: frame.id, type: frame.type, subject: frame.subject, data: frame.data };
  return frame.type === "client.gap" ? { kind: "gap", ...frame.data } : null;
}
