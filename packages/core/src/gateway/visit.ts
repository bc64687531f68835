import { isLoopback, parseIp } from "./ip-address.ts";
import type { GatewayTransport, HeaderLookup, Visit } from "./visitor.ts";

/** As much of a node:http request as is looked at: structural, since core knows no Node types. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly socket: NodeSocket;
}

export interface NodeSocket {
  readonly remoteAddress?: string | undefined;
  readonly localAddress?: string | undefined;
  /** Where Node keeps the answer to `remoteAddress`. */
  _peername?: unknown;
}

/** The visit of a node:http request. The target is the original one, also behind a router that strips a prefix. */
export function visitOfNode(req: NodeRequest, transport: GatewayTransport): Visit {
  const { headers, socket, method = "GET" } = req;
  // Express and connect cut the mount path off `url`.
  const originalUrl: unknown = "originalUrl" in req ? req.originalUrl : undefined;
  return {
    transport,
    method,
    target: typeof originalUrl === "string" ? originalUrl : (req.url ?? "/"),
    headers: new NodeHeaders(headers),
    peerAddress: peerAddressOf(socket),
    isLoopbackListener: isOnLoopback(socket),
    isEncrypted: "encrypted" in socket && socket.encrypted === true,
  };
}

/** As much of a Fetch request as is looked at. */
export interface FetchRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: HeaderLookup;
}

/** The visit of a Fetch request; the runtime says who the peer is, if anybody does. */
export function visitOfFetch(request: FetchRequest, transport: GatewayTransport, peerAddress: string | null): Visit {
  const url = new URL(request.url);
  const peer = peerAddress === null ? null : parseIp(peerAddress);
  return {
    transport,
    method: request.method,
    target: url.pathname + url.search,
    headers: new FetchHeaders(request.headers, url.host),
    peerAddress,
    // Which address the server listens on is not told; who is on loopback reached it there. That somebody else is behind
    // it, as X-Forwarded-For says, proves nothing: a page that reached it by DNS rebinding may send that field too.
    isLoopbackListener: peer !== null && isLoopback(peer),
    isEncrypted: url.protocol === "https:",
  };
}

class NodeHeaders implements HeaderLookup {
  readonly #headers: NodeRequest["headers"];

  constructor(headers: NodeRequest["headers"]) {
    this.#headers = headers;
  }

  get(name: string): string | null {
    const field = name.toLowerCase();
    // HTTP/2 has `:authority` in place of Host (RFC 9113, 8.3.1).
    const value = this.#headers[field] ?? (field === "host" ? this.#headers[":authority"] : undefined);
    return typeof value === "string" ? value : (value?.join(", ") ?? null);
  }
}

// The Fetch standard lets runtimes take `host` out of the headers, as it is in the URL.
class FetchHeaders implements HeaderLookup {
  readonly #headers: HeaderLookup;
  readonly #host: string;

  constructor(headers: HeaderLookup, host: string) {
    this.#headers = headers;
    this.#host = host;
  }

  get(name: string): string | null {
    return this.#headers.get(name) ?? (name === "host" ? this.#host : null);
  }
}

// Node keeps what it found for the life of the socket, which is long: unless somebody has asked before, the socket is left
// as it was, and asks the system again. Once it is destroyed Node promises no address anyhow.
function peerAddressOf(socket: NodeSocket): string | null {
  const wasKnown = socket._peername !== undefined;
  const address = socket.remoteAddress ?? null;
  if (!wasKnown && socket._peername !== undefined) socket._peername = undefined;
  return address;
}

// What the server listens on, as far as Node's sockets know their server; else the address that was reached, which on a
// machine's own proxy is loopback too.
function isOnLoopback(socket: NodeSocket): boolean {
  const server: unknown = "server" in socket ? socket.server : undefined;
  const address = listeningOn(server) ?? socket.localAddress;
  const parsed = address === undefined ? null : parseIp(address);
  return parsed !== null && isLoopback(parsed);
}

function listeningOn(server: unknown): string | undefined {
  if (typeof server !== "object" || server === null || !("address" in server) || typeof server.address !== "function")
    return undefined;
  const bound: unknown = server.address();
  const address: unknown =
    typeof bound === "object" && bound !== null && "address" in bound ? bound.address : undefined;
  return typeof address === "string" ? address : undefined;
}
