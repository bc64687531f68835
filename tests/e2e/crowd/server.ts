// Both gateways on one URL in a process of their own, so that what a crowd of clients costs it can be told from the clients.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Session } from "node:inspector/promises";
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
  /** Of the process, after a collection, without pages of files: program code, mostly, which comes and goes. */
  readonly residentBytes: number;
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

process.on(
  "message",
  ({ publish = 0, bytes = [] }: { readonly publish?: number; readonly bytes?: readonly number[] }) => {
    void (async () => {
      const texts = bytes.map((length) => "x".repeat(length));
      for (let n = 0; n < publish; n += 1) await broker.publish("crowd.event", { n, text: texts[n % texts.length] });
      await collectGarbage();
      const full = [...sockets].filter(({ writableLength }) => writableLength > 0);
      const state: CrowdState = {
        connections: sse.connectionCount + websocket.connectionCount,
        tooSlow: [sse, websocket].reduce((sum, gateway) => sum + (gateway.stats().closed["too_slow"] ?? 0), 0),
        full: full.length,
        bytesWritten: [...sockets].reduce((sum, each) => sum + each.bytesWritten, bytesToWhoLeft),
        residentBytes: residentBytes(),
        position: broker.position,
      };
      process.send?.(state);
    })();
  },
);

/** As V8 does by itself when memory is low: `gc()` keeps the young generation as large as it has grown. */
async function collectGarbage(): Promise<void> {
  const session = new Session();
  session.connect();
  await session.post("HeapProfiler.enable");
  await session.post("HeapProfiler.collectGarbage");
  session.disconnect();
}

function residentBytes(): number {
  try {
    return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1_024;
  } catch {
    // Not everywhere.
    return process.memoryUsage().rss;
  }
}

await broker.run({ signal: untilSignal("SIGTERM") });
server.close();
process.send?.({ undone }, () => process.disconnect());
