// Both gateways on one URL in a process of their own, so that what a crowd of clients costs it can be told from the clients.
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Broker, MemoryStore, untilSignal } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { SseGateway } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";

export interface CrowdState {
  readonly connections: number;
  readonly tooSlow: number;
  /** Connections that hold bytes their kernel did not take. */
  readonly full: number;
  /** What was written so far to all clients, those who have left among them. */
  readonly bytesWritten: number;
  /** By objects and buffers after a collection: what the allocator keeps besides says nothing about who needs it. */
  readonly heldBytes: number;
  readonly position: { readonly epoch: string; readonly offset: number };
}

const stallMs = Number(process.argv[2] ?? 30_000);
const undone: string[] = [];
const broker = new Broker({
  store: new MemoryStore({ retention: { maxEvents: 10_000, maxBytes: 67_108_864 } }),
  observe: [(moment) => void (moment.kind === "drainCompleted" && undone.push(...moment.undone))],
});
const connections = { maxConnections: Infinity, maxPerAddress: Infinity, maxNewPerSecond: Infinity };
const options = { authorize: allowAnyone, connections, stallMs };
const sse = new SseGateway(broker, options);
const sockets = new Set<Socket>();
let bytesToWhoLeft = 0;
const server = createServer((request, response) => sse.handle(request, response));
server.on("connection", (socket) => {
  sockets.add(socket);
  socket.once("close", () => {
    sockets.delete(socket);
    bytesToWhoLeft += socket.bytesWritten;
  });
});
const websocket = new WebSocketGateway(broker, { ...options, server, path: "/events" });
server.listen(0, "127.0.0.1", 4_096, () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on("message", ({ publish = 0, bytes = 0 }: { readonly publish?: number; readonly bytes?: number }) => {
  void (async () => {
    const text = "x".repeat(bytes);
    for (let n = 0; n < publish; n += 1) await broker.publish("crowd.event", { n, text });
    globalThis.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    const full = [...sockets].filter(({ writableLength }) => writableLength > 0);
    const state: CrowdState = {
      connections: sse.connectionCount + websocket.connectionCount,
      tooSlow: [sse, websocket].reduce((sum, gateway) => sum + (gateway.stats().closed["too_slow"] ?? 0), 0),
      full: full.length,
      bytesWritten: [...sockets].reduce((sum, each) => sum + each.bytesWritten, bytesToWhoLeft),
      heldBytes: heapUsed + external,
      position: broker.position,
    };
    process.send?.(state);
  })();
});

await broker.run({ signal: untilSignal("SIGTERM") });
server.close();
process.send?.({ undone }, () => process.disconnect());
