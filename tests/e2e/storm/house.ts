import { createServer } from "node:http";
import { createServer as createDoor, type AddressInfo, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { Broker, type Store } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { SseGateway } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";

export interface House {
  readonly broker: Broker;
  readonly url: string;
  /** Of each door. */
  readonly urls: readonly string[];
}

export interface HouseOptions {
  readonly store: Store;
  readonly stallMs?: number;
  /** Ports: one client address has some 28,000 connections to each, those that ended a moment ago among them. @default 1 */
  readonly doors?: number;
}

/** Both gateways on one URL of a free port, without caps: the storm comes from one address. Ends with the test. */
export async function openHouse({ store, stallMs, doors: doorCount = 1 }: HouseOptions): Promise<House> {
  const broker = new Broker({
    observe: [],
    store,
    drain: { spreadMs: 0, deadlineMs: 1_000 },
  });
  const connections = { maxConnections: Infinity, maxPerAddress: Infinity, maxNewPerSecond: Infinity };
  const sse = new SseGateway(broker, { authorize: allowAnyone, connections, stallMs });
  const server = createServer((request, response) => sse.handle(request, response));
  new WebSocketGateway(broker, { server, path: "/events", authorize: allowAnyone, connections, stallMs });
  const doors = await Promise.all(
    Array.from({ length: doorCount }, () => openDoor((socket) => void server.emit("connection", socket))),
  );
  onTestFinished(async () => {
    await broker.close();
    server.closeAllConnections();
    doors.forEach((door) => door.close());
  });
  const urls = doors.map((door) => `http://127.0.0.1:${(door.address() as AddressInfo).port}/events`);
  return { broker, url: urls[0] ?? "", urls };
}

async function openDoor(letIn: (socket: Socket) => void): Promise<Server> {
  // As an HTTP server sets what it accepts by itself.
  const door = createDoor({ allowHalfOpen: true, noDelay: true }, letIn);
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", 4_096, resolve));
  return door;
}
