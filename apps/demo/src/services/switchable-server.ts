import type { Server } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** A server that can be taken away and brought back under the same port: an outage, as its peers see it. */
export class SwitchableServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  /** Begins off. */
  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  get isUp(): boolean {
    return this.#server.listening;
  }

  /** The same for its whole life; 0 before the first `start`. */
  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    if (this.isUp) return;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ port: this.#port, host: "127.0.0.1" }, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
    // A TCP server listening on a port always has an address.
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses new connections, and cuts the ones there are without a goodbye. */
  async stop(): Promise<void> {
    if (!this.isUp) return;
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
