import {
  StarcastError,
  isStarcastError,
  type AnyBroker,
  type DrainPlan,
  type Part,
  type Subscription,
} from "@starcast/core";
import {
  Entrance,
  reject,
  visitOfNode,
  type Accepted,
  type ClientLag,
  type GatewayStats,
  type Rejected,
} from "@starcast/core/gateway";
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { acceptDeflate } from "./compression/accept-deflate.ts";
import { CompressedStream } from "./compression/compressed-stream.ts";
import { StreamWindows } from "./compression/stream-windows.ts";
import { Connection } from "./connection.ts";
import { Connections } from "./connections.ts";
import { chooseDialect, makeDialects, type Dialects } from "./dialect.ts";
import { resolveWebSocketOptions, type ResolvedWebSocketOptions, type WebSocketOptions } from "./options.ts";
import { assertReceiver } from "./receiver.ts";
import { isAnswering, listenForUpgrades, refuseUpgrade, type UpgradeHandler } from "./upgrade-listener.ts";
import { handshakeHead, offeredProtocols, readHandshake } from "./upgrade.ts";

/** Lets clients follow a broker's events over WebSocket: each resumes exactly where it was, or is told what it missed. */
export class WebSocketGateway {
  readonly #broker: AnyBroker;
  readonly #options: ResolvedWebSocketOptions;
  readonly #entrance: Entrance;
  readonly #connections: Connections;
  readonly #dialects: Dialects;
  readonly #windows: StreamWindows | null;
  readonly #unlisten: (() => void) | null;
  readonly #unregister: () => void;
  #closing: Promise<void> | null = null;

  /**
   * Takes upgrades from now on, and ends with the broker; the server stays yours. Throws `InvalidOptionError`,
   * `name_taken`, `broker_closed`, in Bun `unsupported`.
   */
  constructor(broker: AnyBroker, options: WebSocketOptions) {
    assertReceiver();
    const resolved = resolveWebSocketOptions(options);
    this.#broker = broker;
    this.#options = resolved;
    this.#entrance = new Entrance(broker, resolved.name, resolved.gateway);
    this.#connections = new Connections(broker, this.#entrance, resolved);
    this.#dialects = makeDialects(resolved.source, broker.surroundings.random);
    this.#windows = resolved.compression === "shared" ? new StreamWindows(resolved.minCompressedClients) : null;
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

  /** What its clients have done since it was constructed. */
  stats(): GatewayStats {
    return this.#entrance.tally.stats(this.connectionCount);
  }

  /**
   * At most so many of the clients that are behind, the furthest first; one that keeps up is not among them. Looks at every
   * connection: a thing to ask for once in a while, not with every event.
   */
  slowest(count = 10): readonly ClientLag[] {
    return this.#connections.slowest(count);
  }

  /**
   * Ends the connections of an identity at once, told to stay away (4403), and refuses who is just being let in as that;
   * returns how many there were. Whether it comes in again is for `authorize` to say: take it away there first.
   */
  revoke(identity: string): number {
    this.#entrance.revoke(identity);
    return this.#connections.revoke(identity);
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
    const handshake = isAnswering(socket) ? reject("bad_request", tooEarly) : readHandshake(req);
    if (handshake.kind === "rejected") return this.#refuse(socket, handshake);
    const visit = visitOfNode(req, "websocket");
    const decision = await this.#entrance.decide(visit);
    if (decision.kind === "rejected") return refuseUpgrade(socket, decision);
    const chosen = chooseDialect(offeredProtocols(req), this.#dialects);
    const dialect = chosen ?? this.#dialects.starcast;
    const deflate = this.#windows === null ? null : acceptDeflate(req.headers["sec-websocket-extensions"]);
    const connection = new Connection(this.#connections, socket, {
      accepted: decision,
      dialect,
      stream: deflate && this.#windows && new CompressedStream(this.#windows, dialect, deflate.isEachAlone),
      // Kept only for who has to be judged again: a request is some kilobytes.
      visit: decision.grant.expiresAt === undefined ? null : visit,
      endsAt: this.#connections.drawEndsAt(),
    });
    const subscription = this.#subscribe(connection, socket, decision);
    if ("status" in subscription) return this.#refuse(socket, subscription);
    if (socket instanceof Socket) socket.setTimeout(0).setNoDelay(true);
    if (head.length > 0) socket.unshift(head);
    socket.write(handshakeHead(handshake.key, chosen?.protocol ?? null, deflate?.extensions ?? null));
    connection.start(subscription);
  }

  /** The client's place in the log; it hears of it in a later turn. */
  #subscribe(connection: Connection, socket: Duplex, accepted: Accepted): Subscription | Rejected {
    const { seat, subscribe } = accepted;
    const withdrawn = this.#entrance.withdrawn(accepted);
    if (withdrawn !== null) {
      seat.leave();
      return reject(withdrawn);
    }
    try {
      // It left while it was judged.
      if (!socket.writable) throw new StarcastError("broker_closed", "Expected an open connection");
      const subscription = this.#broker.attach(connection, subscribe);
      this.#connections.add(connection);
      return subscription;
    } catch (error) {
      seat.leave();
      return reject(isStarcastError(error, "broker_closed") ? "draining" : "overloaded");
    }
  }

  #refuse(socket: Duplex, rejected: Rejected): void {
    this.#entrance.tally.refused(rejected);
    refuseUpgrade(socket, rejected);
  }

  #part(): Part {
    const connections = this.#connections;
    return {
      name: this.#options.name,
      stage: "clients",
      get size() {
        return connections.size;
      },
      stop: () => this.#entrance.stop(),
      drain: async (plan: DrainPlan) => {
        const undone = await connections.drain(plan);
        this.#unlisten?.();
        return undone;
      },
    };
  }

  async #close(): Promise<void> {
    this.#entrance.stop();
    await this.#connections.drain({ spreadMs: 0, deadline: this.#broker.surroundings.clock.now() + closeDeadlineMs });
    this.#unlisten?.();
    this.#unregister();
  }
}

declare module "@starcast/core" {
  interface Moments {
    /** An upgrade could not be taken, because of what stood in the request's or the socket's place. */
    upgradeFailed: { readonly gateway: string; readonly error: unknown };
  }
}

const tooEarly = "Expected a handshake behind requests that were answered";

/** A gateway closed by itself waits so long for clients that do not answer. */
const closeDeadlineMs = 5_000;

// A socket that fails also closes, which is looked at where it matters.
function ignore(): void {}
