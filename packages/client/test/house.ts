import { Broker, MemoryStore, type BrokerOptions } from "@starcast/core";
import { SseGateway, allowAnyone, type SseOptions } from "@starcast/sse";
import { WebSocketGateway, type WebSocketOptions } from "@starcast/websocket";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";
import { freePort } from "../../../tests/free-port.ts";
import { modelEvents, type ModelEvents } from "./models.ts";

export interface HouseOptions {
  readonly broker?: Partial<BrokerOptions<ModelEvents>>;
  readonly gateways?: Partial<SseOptions & WebSocketOptions>;
  readonly maxEvents?: number;
  /** Which of the two gateways answer. */
  readonly transports?: readonly ("websocket" | "sse")[];
  /** Answers what is not the stream; called before the gateway, and true when it has answered. */
  readonly handle?: (request: IncomingMessage, response: ServerResponse) => boolean;
  readonly port?: number;
}

/** A broker with both gateways on one URL of a free port; all of it ends with the test. */
export class House {
  readonly broker: Broker<ModelEvents>;
  readonly server: Server;
  readonly sockets = new Set<Socket>();
  /** Requests and upgrades, as they came. */
  readonly visits: { readonly transport: "websocket" | "sse"; readonly url: string; readonly token: string | null }[] =
    [];

  private constructor(options: HouseOptions) {
    const { transports = ["websocket", "sse"], gateways = {}, maxEvents = 10_000, handle } = options;
    this.broker = new Broker<ModelEvents>({
      events: modelEvents,
      observe: [],
      store: new MemoryStore({ retention: { maxEvents } }),
      drain: { spreadMs: 0, deadlineMs: 2_000 },
      ...options.broker,
    });
    const connections = { maxPerAddress: Infinity, maxNewPerSecond: Infinity };
    const shared = { authorize: allowAnyone, connections, ...gateways };
    const sse = transports.includes("sse")
      ? new SseGateway(this.broker, { retry: { minMs: 1, maxMs: 5 }, ...shared })
      : null;
    this.server = createServer((request, response) => {
      if (handle?.(request, response) === true) return;
      if (!request.url?.startsWith("/events") || sse === null) return void response.writeHead(404).end();
      this.visits.push({ transport: "sse", url: request.url, token: request.headers.authorization ?? null });
      sse.handle(request, response);
    });
    if (transports.includes("websocket")) {
      new WebSocketGateway(this.broker, { server: this.server, path: "/events", ...shared });
      this.server.prependListener("upgrade", (request: IncomingMessage) => {
        const token = /starcast\.token\.([^,\s]+)/.exec(String(request.headers["sec-websocket-protocol"]))?.[1] ?? null;
        this.visits.push({ transport: "websocket", url: request.url ?? "", token });
      });
    }
    this.server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
    });
  }

  static async open(options: HouseOptions = {}): Promise<House> {
    const house = new House(options);
    house.server.listen(options.port ?? (await freePort()), "127.0.0.1");
    await new Promise((resolve) => void house.server.once("listening", resolve));
    onTestFinished(() => house.close());
    return house;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `${this.origin}/events`;
  }

  get position(): string {
    const { epoch, offset } = this.broker.position;
    return `${epoch}-${offset}`;
  }

  /** Publishes `number.drawn { n }` for every n. */
  async draw(from: number, to: number): Promise<void> {
    await Promise.all(
      Array.from({ length: to - from + 1 }, (_, index) => this.broker.publish("number.drawn", { n: from + index })),
    );
  }

  /** Cuts all connections without a word. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  #closing: Promise<void> | null = null;

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.broker.close();
    this.server.closeAllConnections();
    await new Promise((resolve) => void this.server.close(resolve));
  }
}
