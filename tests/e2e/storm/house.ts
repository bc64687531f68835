import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { Broker, type Store } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { SseGateway } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";

export interface House {
  readonly broker: Broker;
  readonly url: string;
}

export interface HouseOptions {
  readonly store: Store;
  readonly stallMs?: number;
}

/** Both gateways on one URL of a free port, without caps: the storm comes from one address. Ends with the test. */
export async function openHouse({ store, stallMs }: HouseOptions): Promise<House> {
  const broker = new Broker({
    observe: [],
    store,
    drain: { spreadMs: 0, deadlineMs: 1_000 },
  });
  const connections = { maxConnections: Infinity, maxPerAddress: Infinity, maxNewPerSecond: Infinity };
  const sse = new SseGateway(broker, { authorize: allowAnyone, connections, stallMs });
  const server = createServer((request, response) => sse.handle(request, response));
  new WebSocketGateway(broker, { server, path: "/events", authorize: allowAnyone, connections, stallMs });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await broker.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { broker, url: `http://127.0.0.1:${port}/events` };
}
