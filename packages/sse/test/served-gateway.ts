import { Broker, realSurroundings, type BrokerOptions, type Moment, type Surroundings } from "@starcast/core";
import { SseGateway, allowAnyone, type SseOptions } from "@starcast/sse";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Server as NetServer } from "node:net";
import { onTestFinished } from "vitest";

type Catalog = Record<string, unknown>;

export interface Served {
  readonly broker: Broker<Catalog>;
  readonly gateway: SseGateway;
  readonly server: NetServer;
  readonly port: number;
  readonly url: string;
  /** Everything the broker's observer was told. */
  readonly moments: readonly Moment[];
  /** Resolves with the first moment of that kind, past or future. */
  seen<Kind extends Moment["kind"]>(kind: Kind): Promise<Extract<Moment, { kind: Kind }>>;
  /** Time jumps; timers go on as they were. */
  skip(ms: number): void;
}

export interface ServeOptions {
  readonly sse?: Partial<SseOptions>;
  readonly broker?: BrokerOptions<Catalog>;
  /** What listens; by default node:http with the gateway as its handler. */
  readonly listen?: (gateway: SseGateway, broker: Broker<Catalog>) => NetServer;
}

/** A broker with an SSE gateway on a free loopback port; all of it ends with the test. */
export async function serveGateway({
  sse = {},
  broker: brokerOptions = {},
  listen,
}: ServeOptions = {}): Promise<Served> {
  const moments: Moment[] = [];
  const waiting: { kind: string; resolve: (moment: Moment) => void }[] = [];
  const time = skippingTime();
  const broker = new Broker<Catalog>({
    surroundings: time.surroundings,
    drain: { spreadMs: 0, deadlineMs: 2_000 },
    ...brokerOptions,
    observe: [
      (moment) => {
        moments.push(moment);
        for (const each of waiting) if (each.kind === moment.kind) each.resolve(moment);
      },
    ],
  });
  const gateway = new SseGateway(broker, { authorize: allowAnyone, retry: { minMs: 1, maxMs: 5 }, ...sse });
  const server = listen?.(gateway, broker) ?? createServer(gateway.handle as RequestListener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    await broker.close();
    if ("closeAllConnections" in server) (server as Server).closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const seen = <Kind extends Moment["kind"]>(kind: Kind): Promise<Extract<Moment, { kind: Kind }>> => {
    type Wanted = Extract<Moment, { kind: Kind }>;
    const past = moments.find((moment) => moment.kind === kind);
    if (past !== undefined) return Promise.resolve(past as Wanted);
    return new Promise((resolve) => waiting.push({ kind, resolve: (moment) => resolve(moment as Wanted) }));
  };
  return { broker, gateway, server, port, url: `http://127.0.0.1:${port}/events`, moments, seen, skip: time.skip };
}

/** The real ones, but for a clock that can be put forward. */
function skippingTime(): { readonly surroundings: Surroundings; skip(ms: number): void } {
  let skippedMs = 0;
  const clock = { now: () => Date.now() + skippedMs };
  return {
    surroundings: { ...realSurroundings, clock },
    skip: (ms) => {
      skippedMs += ms;
    },
  };
}
