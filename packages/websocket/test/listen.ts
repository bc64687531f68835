import { Broker, type BrokerOptions, type Event, type Moment } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { fakeSurroundings, type FakeSurroundings } from "@starcast/testing";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocketGateway, type WebSocketOptions } from "../src/index.ts";

export interface House {
  readonly broker: Broker;
  readonly gateway: WebSocketGateway;
  readonly server: Server;
  readonly port: number;
  readonly url: string;
  /** The server's ends of all connections so far. */
  readonly sockets: Socket[];
  readonly moments: Moment[];
  /** Only a test lets time pass; turns of the event loop come by themselves. */
  readonly time: FakeSurroundings;
  /** Sets the clock by so much; timers go on as they were. */
  setClock(byMs: number): void;
  /** Resolves with the first moment of a kind, past or to come. */
  moment<Kind extends Moment["kind"]>(kind: Kind): Promise<Moment & { readonly kind: Kind }>;
}

export interface HouseOptions {
  readonly broker?: BrokerOptions<Record<string, unknown>>;
  readonly gateway?: Partial<WebSocketOptions>;
  /** How long the server waits for the head of a request; in real time, as it is Node's. */
  readonly headersTimeoutMs?: number;
}

/** A broker, a gateway and a server on a free port, all of which end with the test. */
export async function openHouse({
  broker: brokerOptions = {},
  gateway: options = {},
  headersTimeoutMs = 60_000,
}: HouseOptions = {}): Promise<House> {
  const moments: Moment[] = [];
  const waiting = new Set<() => void>();
  const time = fakeSurroundings(1, { turns: "real", startsAt: Date.now() });
  let setByMs = 0;
  const { scheduler, random } = time;
  const broker = new Broker<Record<string, unknown>>({
    surroundings: { scheduler, random, clock: { now: () => time.clock.now() + setByMs } },
    drain: { spreadMs: 0, deadlineMs: 2_000 },
    ...brokerOptions,
    observe: [
      (moment) => {
        moments.push(moment);
        for (const look of waiting) look();
      },
    ],
  });
  const limits = { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: 100 };
  const server = createServer(limits, (_, res) => void res.end("plain"));
  const gateway = new WebSocketGateway(broker, { server, path: "/events", authorize: allowAnyone, ...options });
  const sockets: Socket[] = [];
  server.on("connection", (socket) => void sockets.push(socket));
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => void server.once("listening", resolve));
  onTestFinished(async () => {
    const closed = broker.close();
    // Whoever is stuck is ended at the deadline, which only the test's time brings.
    await time.advance(5_000);
    await closed;
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
    sockets,
    moments,
    time,
    setClock: (byMs) => {
      setByMs += byMs;
    },
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

/** Publishes `model.added { n }` for every n, and resolves with the events. */
export function publishNumbers(broker: Broker, from: number, to: number): Promise<readonly Event[]> {
  return Promise.all(
    Array.from({ length: to - from + 1 }, (_, index) => broker.publish("model.added", { n: from + index })),
  );
}
