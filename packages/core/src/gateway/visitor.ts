/** How a client comes in. */
export type GatewayTransport = "websocket" | "sse";

/** What a gateway knows of a request before it has judged it; made from a node:http or a Fetch request. */
export interface Visit {
  readonly transport: GatewayTransport;
  readonly method: string;
  /** Path and query as they came, such as `/events?types=model.*`. */
  readonly target: string;
  readonly headers: HeaderLookup;
  /** Who is at the other end of the TCP connection; null where the runtime does not say. */
  readonly peerAddress: string | null;
  /** True when the server listens on a loopback address only, where a foreign Host means DNS rebinding. */
  readonly isLoopbackListener: boolean;
  readonly isEncrypted: boolean;
}

/** Header fields by name, in whatever case; fields that came several times are joined as HTTP says. */
export interface HeaderLookup {
  get(name: string): string | null;
}

/** Who asks to be let in: what `authorize` judges. */
export interface Visitor {
  readonly transport: GatewayTransport;
  readonly method: string;
  readonly url: URL;
  readonly headers: HeaderLookup;
  /** The client's address, as far as trusted proxies tell it; null where it is not known. */
  readonly address: string | null;
  readonly origin: string | null;
  /** From `Authorization: Bearer`, a `starcast.token.<token>` subprotocol, or a client's `token` operation. Never logged. */
  readonly token: string | null;
  /** The subprotocols a WebSocket client offered. */
  readonly protocols: readonly string[];
  cookie(name: string): string | null;
}

/** A subprotocol entry that carries a token, since browsers cannot set headers on a WebSocket; never echoed. */
export const tokenProtocolPrefix = "starcast.token.";

/** The visitor behind a visit; `token` replaces the one that came with it. Null when the target is no URL. */
export function visitorOf(visit: Visit, address: string | null, token?: string | undefined): Visitor | null {
  const { transport, method, headers } = visit;
  const url = parseTarget(visit);
  if (url === null) return null;
  const protocols = splitList(headers.get("sec-websocket-protocol"));
  return Object.freeze({
    transport,
    method,
    url,
    headers,
    address,
    origin: headers.get("origin"),
    token: token ?? tokenOf(headers, protocols),
    protocols,
    cookie: (name: string) => readCookie(headers.get("cookie"), name),
  });
}

/** The value of one cookie, undecoded; null when it did not come. The first of that name counts (RFC 6265, 5.4: the most specific). */
export function readCookie(header: string | null, name: string): string | null {
  for (const pair of header?.split(";") ?? []) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}

function tokenOf(headers: HeaderLookup, protocols: readonly string[]): string | null {
  const bearer = /^bearer +([^\s]+)$/i.exec(headers.get("authorization") ?? "");
  if (bearer?.[1] !== undefined) return bearer[1];
  const entry = protocols.find(
    (each) => each.startsWith(tokenProtocolPrefix) && each.length > tokenProtocolPrefix.length,
  );
  return entry?.slice(tokenProtocolPrefix.length) ?? null;
}

function parseTarget({ target, headers, isEncrypted, transport }: Visit): URL | null {
  const scheme = transport === "websocket" ? (isEncrypted ? "wss" : "ws") : isEncrypted ? "https" : "http";
  // A target that begins with two slashes would be read as another host.
  const path = target.startsWith("/") ? target.replace(/^\/+/, "/") : target;
  const base = `${scheme}://${headers.get("host") ?? "localhost"}`;
  return URL.canParse(path, base) ? new URL(path, base) : null;
}

function splitList(header: string | null): readonly string[] {
  return header === null
    ? []
    : header
        .split(",")
        .map((entry) => entry.trim())
        .filter((entry) => entry !== "");
}
