import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";

/** As much of a node as is needed to send somebody there. */
export interface Target {
  readonly name: string;
  /** Null while it is down. */
  readonly port: number | null;
}

/** The smallest load balancer: each new connection to the next node that takes it. */
export class RoundRobin {
  readonly #targets: readonly Target[];
  readonly #open = new Map<string, Set<{ destroy(): unknown }>>();
  #next = 0;

  constructor(targets: readonly Target[]) {
    this.#targets = targets;
  }

  /** Connections that go to this node. */
  count(name: string): number {
    return this.#open.get(name)?.size ?? 0;
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    this.#forward(request, response, this.#inTurn());
  };

  readonly upgrade = (request: IncomingMessage, socket: Duplex): void => {
    this.#tunnel(request, socket, this.#inTurn());
  };

  close(): void {
    for (const open of this.#open.values()) for (const each of open) each.destroy();
  }

  /** Every node that is up, the next one first. */
  #inTurn(): Target[] {
    const first = this.#next % this.#targets.length;
    this.#next += 1;
    return [...this.#targets.slice(first), ...this.#targets.slice(0, first)].filter(({ port }) => port !== null);
  }

  #forward(request: IncomingMessage, response: ServerResponse, [target, ...others]: readonly Target[]): void {
    if (target === undefined) return void response.writeHead(503, { "retry-after": "1" }).end("No node is up");
    const { method, url, headers } = request;
    const onward = httpRequest({ host: "127.0.0.1", port: target.port, method, path: url, headers, agent: false });
    onward.once("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
      answer.once("error", () => response.destroy());
      this.#hold(target.name, answer);
    });
    onward.once("error", () => (response.headersSent ? response.destroy() : this.#forward(request, response, others)));
    response.once("close", () => onward.destroy());
    onward.end();
  }

  #tunnel(request: IncomingMessage, socket: Duplex, [target, ...others]: readonly Target[]): void {
    if (target === undefined || target.port === null)
      return void socket.end("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\r\n");
    const onward = connect(target.port, "127.0.0.1");
    let isConnected = false;
    onward.once("connect", () => {
      isConnected = true;
      const { method, url, rawHeaders } = request;
      const lines = rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("");
      onward.write(`${method} ${url} HTTP/1.1\r\n${lines}\r\n`);
      onward.pipe(socket).pipe(onward);
      this.#hold(target.name, onward);
    });
    onward.on("error", () => (isConnected ? socket.destroy() : this.#tunnel(request, socket, others)));
    onward.once("close", () => isConnected && socket.destroy());
    socket.on("error", () => onward.destroy()).once("close", () => onward.destroy());
  }

  #hold(name: string, connection: IncomingMessage | ReturnType<typeof connect>): void {
    const open = this.#open.get(name) ?? new Set();
    this.#open.set(name, open.add(connection));
    connection.once("close", () => open.delete(connection));
  }
}
