import { isStarcastError, type AnyBroker, type DrainPlan, type Part } from "@starcast/core";
import { Entrance, reject, visitOfNode, type Accepted, type Rejected, type Visit } from "@starcast/core/gateway";
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Connection } from "./connection.ts";
import { Connections } from "./connections.ts";
import { chooseDialect, makeDialects, type Dialects } from "./dialect.ts";
import { resolveWebSocketOptions, type ResolvedWebSocketOptions, type WebSocketOptions } from "./options.ts";
import { listenForUpgrades, refuseUpgrade, type UpgradeHandler } from "./upgrade-listener.ts";
import { handshakeHead, offeredProtocols, readHandshake } from "./upgrade.ts";

/** Lets clients follow a broker's events over WebSocket: each resumes exactly where it was, or is told what it missed. */
export class WebSocketGateway {
  readonly #broker: AnyBroker;
  readonly #options: ResolvedWebSocketOptions;
  readonly #entrance: Entrance;
  readonly #connections: Connections;
  readonly #dialects: Dialects;
  readonly #unlisten: (() => void) | null;
  readonly #unregister: () => void;
  #closing: Promise<void> | null = null;

  /**
   * Takes upgrades from now on, and ends with the broker; the server stays yours. Throws `InvalidOptionError`,
   * `name_taken`, `broker_closed`.
   */
  constructor(broker: AnyBroker, options: WebSocketOptions) {
    const resolved = resolveWebSocketOptions(options);
    this.#broker = broker;
    this.#options = resolved;
    this.#entrance = new Entrance(broker, resolved.name, resolved.gateway);
    this.#connections = new Connections(broker, this.#entrance, resolved);
    this.#dialects = makeDialects(resolved.source, broker.surroundings.random);
    this.#unregister = broker.register(this.#part());
    const { server, path } = resolved;
    try {
      this.#unlisten = server === null ? null : listenForUpgrades(server, path, this.handleUpgrade);
    } catch (error) {
      this.#unregister();
      throw error;
    }
  }

  /** Open connections. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Takes one upgrade of a node:http server, whatever its path. Bound: `server.on("upgrade", gateway.handleUpgrade)`. Never throws. */
  readonly handleUpgrade: UpgradeHandler = (req, socket, head) => {
    // The client may leave while it is judged.
    socket.on("error", ignore);
    this.#upgrade(req, socket, head).catch((error: unknown) => {
      // Only what others put in the place of a request or socket can throw here; nothing of it may end the process.
      this.#broker.observe({ kind: "upgradeFailed", level: "warn", gateway: this.#options.name, error });
      socket.destroy();
    });
  };

  /** Refuses new clients, tells the others when to come back, and resolves when they are gone. The broker's `close` does the same. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #upgrade(req: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void> {
    const handshake = readHandshake(req);
    if (handshake.kind === "rejected") return this.#refuse(socket, handshake);
    const visit = visitOfNode(req, "websocket");
    const decision = await this.#entrance.decide(visit);
    if (decision.kind === "rejected") return refuseUpgrade(socket, decision);
    const protocol = chooseDialect(offeredProtocols(req), this.#dialects);
    this.#accept(socket, head, decision, visit, handshakeHead(handshake.key, protocol?.protocol ?? null), protocol ?? this.#dialects.starcast);
  }

  #accept(socket: Duplex, head: Uint8Array, accepted: Accepted, visit: Visit, response: string, dialect: Connection["dialect"]): void {
  }
}
