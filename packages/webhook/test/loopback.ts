import { once } from "node:events";
import { createServer as createHttpServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** What a receiver got of one request. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Receiver extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** Resolves once so many requests have been read whole. */
  count(atLeast: number): Promise<void>;
}

/** A real HTTP server on a free loopback port. Without `answer` it says 204. */
export async function receiver(
  answer: (request: Received, response: ServerResponse) => void = (_, response) => response.writeHead(204).end(),
): Promise<Receiver> {
  const received: Received[] = [];
  const waiting = new Set<{ atLeast: number; resolve: () => void }>();
  const server = createHttpServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const got = { path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks) };
      received.push(got);
      answer(got, response);
      for (const each of waiting) if (received.length >= each.atLeast) each.resolve();
    });
  });
  const port = await listen(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    received,
    count: (atLeast) =>
      new Promise((resolve) => (received.length >= atLeast ? resolve() : waiting.add({ atLeast, resolve }))),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface RawReceiver extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
  /** Connections taken so far. */
  readonly connections: () => number;
  /** Resolves when every connection taken so far is gone. */
  allClosed(): Promise<void>;
}

/** A TCP server that does with its connections what it likes; `onRequest` runs when the head of a request has arrived. */
export async function rawReceiver(behaviour: {
  onConnection?: (socket: Socket) => void;
  onRequest?: (socket: Socket) => void;
}): Promise<RawReceiver> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    behaviour.onConnection?.(socket);
    if (behaviour.onRequest === undefined) return;
    let head = "";
    socket.on("data", (chunk: Buffer) => {
      head += chunk.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      head = "";
      behaviour.onRequest?.(socket);
    });
    socket.on("end", () => socket.end());
  });
  const port = await listen(server);
  return {
    origin: `http://127.0.0.1:${port}`,
    port,
    connections: () => connections,
    allClosed: async () => {
      await Promise.all(
        [...sockets].map((socket) =>
          socket.closed ? undefined : new Promise((resolve) => socket.once("close", resolve)),
        ),
      );
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export async function listen(server: Server): Promise<number> {
  // Thousands connect within one turn here: with the usual 511, the system makes the rest wait for seconds.
  server.listen({ port: 0, host: "127.0.0.1", backlog: 4_096 });
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
