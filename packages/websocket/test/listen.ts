import { Broker, type BrokerOptions, type Moment } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocketGateway, type WebSocketOptions } from "../src/index.ts";

export interface House {
  readonly broker: Broker;
  readonly gateway: WebSocketGateway;
  readonly server: Server;
  readonly port: number;
  readonly url: string;
  readonly moments: Moment[];
  /** Resolves with the first moment of a kind, past or to come. */
  moment<Kind extends Moment["kind"]>(kind: Kind): Promise<Moment & { readonly kind: Kind }>;
}

export interface HouseOptions {
  readonly broker?: BrokerOptions<Record<string, unknown>>;
  readonly gateway?: Partial<WebSocketOptions>;
}

/** A broker, a gateway and a server on a free port, all of which end with the test. */
export async function openHouse({
  broker: brokerOptions = {},
  gateway: options = {},
}: HouseOptions = {}): Promise<House> {
  const moments: Moment[] = [];
  const waiting = new Set<() => void>();
  const broker = new Broker<Record<string, unknown>>({
    drain: { spreadMs: 0, deadlineMs: 2_000 },
    ...brokerOptions,
    observe: [
      (moment) => {
        moments.push(moment);
        for (const look of waiting) look();
      },
    ],
  });
  const server = createServer((_, res) => void res.end("plain"));
  const gateway = new WebSocketGateway(broker, { server, path: "/events", authorize: allowAnyone, ...options });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => void server.once("listening", resolve));
  onTestFinished(async () => {
    await broker.close();
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    broker,
    gateway,
    server,
    port,
    url: `ws://127.0.0.1:${port}/events`,
    moments,
    moment: (kind) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = moments.find((moment) => moment.kind === kind);
          if (found === undefined) return;
          waiting.delete(look);
          // Just looked for by its kind.
          resolve(found as Moment & { readonly kind: typeof kind });
        };
        waiting.add(look);
        look();
      }),
  };
}
