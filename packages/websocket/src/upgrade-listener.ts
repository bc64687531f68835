import { StarcastError } from "@starcast/core";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { refusalText, type Refusal } from "./upgrade.ts";

/** Takes an upgrade: node:http hands over the request, its socket, and what was read behind the head. */
export type UpgradeHandler = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** As much of a node:http or https server as is used. */
export interface UpgradeSource {
  on(event: "upgrade", handler: UpgradeHandler): unknown;
  removeListener(event: "upgrade", handler: UpgradeHandler): unknown;
  listenerCount(event: "upgrade"): number;
}

/**
 * Hands a server's upgrades on `path` to `take`; the returned function ends that. Upgrades on other paths are left to
 * other listeners; where there is none, they are answered 404, as Node would keep them open for ever.
 * Throws `name_taken` when the path is another gateway's.
 */
export function listenForUpgrades(server: UpgradeSource, path: string, take: UpgradeHandler): () => void {
  let paths = servers.get(server);
  if (paths === undefined) {
    paths = new Paths(server);
    servers.set(server, paths);
  }
  return paths.add(path, take);
}

/**
 * True while an earlier request of the connection is not answered yet. Its answer would come between the frames, and ours
 * before it.
 */
export function isAnswering(socket: Duplex): boolean {
  return "_httpMessage" in socket && socket._httpMessage !== null && socket._httpMessage !== undefined;
}

/** Answers an upgrade, where that is possible, and ends its connection. */
export function refuseUpgrade(socket: Duplex, refusal: Refusal): void {
  socket.on("error", ignore);
  if (isAnswering(socket)) return void socket.destroy();
  // Once it has left, nothing of this connection is waited for.
  socket.once("finish", destroy);
  socket.end(refusalText(refusal));
}

// One listener per server, however many gateways it has: so they know of each other's paths, and of foreign listeners.
const servers = new WeakMap<UpgradeSource, Paths>();

class Paths {
  readonly #server: UpgradeSource;
  readonly #handlers = new Map<string, UpgradeHandler>();

  constructor(server: UpgradeSource) {
    this.#server = server;
  }

  add(path: string, take: UpgradeHandler): () => void {
    if (this.#handlers.has(path)) {
      throw new StarcastError(
        "name_taken",
        `Expected a path that no other gateway of this server has, got \`${path}\``,
      );
    }
    if (this.#handlers.size === 0) this.#server.on("upgrade", this.#onUpgrade);
    this.#handlers.set(path, take);
    return () => {
      if (this.#handlers.get(path) !== take) return;
      this.#handlers.delete(path);
      if (this.#handlers.size === 0) this.#server.removeListener("upgrade", this.#onUpgrade);
    };
  }

  readonly #onUpgrade: UpgradeHandler = (req, socket, head) => {
    const [path = "/"] = (req.url ?? "/").split("?", 1);
    const take = this.#handlers.get(path);
    if (take !== undefined) take(req, socket, head);
    else if (this.#server.listenerCount("upgrade") === 1) refuseUpgrade(socket, notFound);
  };
}

const notFound: Refusal = {
  status: 404,
  code: "not_found",
  message: "Expected a path that takes WebSocket upgrades",
  headers: {},
};

// The peer may be gone already; there is nobody left to tell.
function ignore(): void {}

function destroy(this: Duplex): void {
  this.destroy();
}
