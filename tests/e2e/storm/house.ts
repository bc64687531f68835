import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { Broker, MemoryStore } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { SseGateway } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";

export interface House {
  readonly broker: Broker;
  readonly url: string;
}

/** Both gateways on one URL of a free port, without caps: the storm comes from one address. Ends with the test. */
export async function openHouse({ retainedEvents }: { readonly retainedEvents: number }): Promise<House> {
  const broker = new Broker({
    observe: [],
    store: new MemoryStore({ retention: { maxEvents: retainedEvents } }),
    drain: { spreadMs: 0, deadlineMs: 1_000 },
  });
  const connections = { maxConnections: Infinity, maxPerAddress: Infinity, maxNewPerSecond: Infinity };
  const sse = new SseGateway(broker, { authorize: allowAnyone, connections });
  const server = createServer((request, response) => sse.handle(request, response));
  new WebSocketGateway(broker, { server, path: "/events", authorize: allowAnyone, connections });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    await broker.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { broker, url: `http://127.0.0.1:${port}/events` };
}
