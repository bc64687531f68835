import { InvalidOptionError, checkCloudEventsSource, checkKeys, integer } from "@starcast/core";
import {
  gatewayOptionKeys,
  resolveGatewayOptions,
  type GatewayOptions,
  type ResolvedGatewayOptions,
} from "@starcast/core/gateway";
import type { UpgradeSource } from "./upgrade-listener.ts";

/** What a `WebSocketGateway` takes besides what both gateways do. */
export interface WebSocketOptions extends GatewayOptions {
  /** Whose upgrades on `path` are taken: a node:http or https server, which stays yours to close. @default none: pass upgrades to `handleUpgrade` */
  readonly server?: UpgradeSource | undefined;
  /** Where on `server`: the path exactly, without query. @default "/events" */
  readonly path?: string | undefined;
  /** Its name for the observer; a broker's second WebSocket gateway needs another. @default "websocket" */
  readonly name?: string | undefined;
  /** The `source` of events under the subprotocol `cloudevents.json`. @default the path */
  readonly source?: string | undefined;
  /** A ping and a `client.heartbeat` go out this often; below the 60 s idle cut of common proxies. @default 25_000 */
  readonly heartbeatMs?: number | undefined;
  /** A client that has not answered a ping for so long is gone; with the heartbeat, half-open peers are found in 35 s. @default 10_000 */
  readonly pongTimeoutMs?: number | undefined;
  /** A client that takes no byte of what was written for so long is closed; it resumes where it was. @default 30_000 */
  readonly stallMs?: number | undefined;
  /** Age at which a connection is closed, +-20 %, so that load balancers can even out. @default Infinity */
  readonly maxAgeMs?: number | undefined;
  /**
   * `"shared"`: events are compressed (permessage-deflate), each once for all clients of one filter, where a client offers
   * it. Not for events that mix secrets with what others may choose: compressed lengths tell of both. @default "none"
   */
  readonly compression?: "none" | "shared" | undefined;
  /** Clients of one filter from which compressing pays: it costs as much as some ten writes. @default 16 */
  readonly minCompressedClients?: number | undefined;
  /** What a client may send; beyond, it is closed. @default { maxMessageBytes: 4_096, maxFragments: 16, maxChunks: 128, maxMessagesPerSecond: 20 } */
  readonly inbound?: InboundOptions | undefined;
}

export interface InboundOptions {
  /** Bytes of one message: a filter or a token, no more. @default 4_096 */
  readonly maxMessageBytes?: number | undefined;
  /** Fragments of one message; who cuts so little text so fine has other plans. @default 16 */
  readonly maxFragments?: number | undefined;
  /** Packets that one unfinished frame may arrive in. @default 128 */
  readonly maxChunks?: number | undefined;
  /** Messages, pings and unasked pongs per second. @default 20 */
  readonly maxMessagesPerSecond?: number | undefined;
}

export interface InboundLimits {
  readonly maxMessageBytes: number;
  readonly maxFragments: number;
  readonly maxChunks: number;
  readonly maxMessagesPerSecond: number;
}

export interface ResolvedWebSocketOptions {
  readonly gateway: ResolvedGatewayOptions;
  readonly server: UpgradeSource | null;
  readonly path: string;
  readonly name: string;
  readonly source: string;
  readonly heartbeatMs: number;
  readonly pongTimeoutMs: number;
  readonly stallMs: number;
  readonly maxAgeMs: number;
  readonly compression: "none" | "shared";
  readonly minCompressedClients: number;
  readonly inbound: InboundLimits;
}

/** Complete, checked, frozen; throws `InvalidOptionError` at the first option that cannot be used. */
export function resolveWebSocketOptions(options: WebSocketOptions): ResolvedWebSocketOptions {
  checkKeys("WebSocketOptions", options ?? {}, [...gatewayOptionKeys, ...ownKeys]);
  const path = checkPath(options.path ?? defaults.path);
  const resolved: ResolvedWebSocketOptions = {
    gateway: resolveGatewayOptions(options),
    server: checkServer(options.server),
    path,
    name: checkName(options.name ?? defaults.name),
    source: checkCloudEventsSource(options.source ?? path),
    heartbeatMs: integer("heartbeatMs", options.heartbeatMs, defaults.heartbeatMs, { min: 1_000, max: 300_000 }),
    pongTimeoutMs: integer("pongTimeoutMs", options.pongTimeoutMs, defaults.pongTimeoutMs, { min: 500, max: 300_000 }),
    stallMs: integer("stallMs", options.stallMs, defaults.stallMs, { min: 1_000, max: 3_600_000 }),
    maxAgeMs: integer("maxAgeMs", options.maxAgeMs, defaults.maxAgeMs, { min: 1_000, max: Infinity }),
    compression: checkCompression(options.compression ?? defaults.compression),
    minCompressedClients: integer("minCompressedClients", options.minCompressedClients, defaults.minCompressedClients, {
      min: 1,
      max: 1_000_000,
    }),
    inbound: resolveInbound(options.inbound ?? {}),
  };
  if (resolved.pongTimeoutMs >= resolved.heartbeatMs) {
    const expected = `less than heartbeatMs (${resolved.heartbeatMs}), so that one ping is out at a time`;
    throw new InvalidOptionError({ option: "pongTimeoutMs", expected, received: resolved.pongTimeoutMs });
  }
  return Object.freeze(resolved);
}

const ownKeys = [
  "server",
  "path",
  "name",
  "source",
  "heartbeatMs",
  "pongTimeoutMs",
  "stallMs",
  "maxAgeMs",
  "compression",
  "minCompressedClients",
  "inbound",
];

const defaults = Object.freeze({
  path: "/events",
  name: "websocket",
  heartbeatMs: 25_000,
  pongTimeoutMs: 10_000,
  stallMs: 30_000,
  maxAgeMs: Infinity,
  compression: "none",
  minCompressedClients: 16,
} as const);

const inboundDefaults: InboundLimits = Object.freeze({
  maxMessageBytes: 4_096,
  maxFragments: 16,
  maxChunks: 128,
  maxMessagesPerSecond: 20,
});

function resolveInbound(options: InboundOptions): InboundLimits {
  checkKeys("inbound", options, Object.keys(inboundDefaults));
  const limit = (name: keyof InboundLimits, max: number): number =>
    integer(`inbound.${name}`, options[name], inboundDefaults[name], { min: 1, max });
  return Object.freeze({
    maxMessageBytes: limit("maxMessageBytes", 1_048_576),
    maxFragments: limit("maxFragments", 65_536),
    maxChunks: limit("maxChunks", 65_536),
    maxMessagesPerSecond: limit("maxMessagesPerSecond", Infinity),
  });
}

function checkPath(path: unknown): string {
  if (typeof path === "string" && /^\/[^?#\s]*$/.test(path) && path.length <= 1_024) return path;
  throw new InvalidOptionError({ option: "path", expected: 'a path like "/events", without query', received: path });
}

function checkCompression(compression: unknown): "none" | "shared" {
  if (compression === "none" || compression === "shared") return compression;
  throw new InvalidOptionError({ option: "compression", expected: '"none" or "shared"', received: compression });
}

function checkName(name: unknown): string {
  if (typeof name === "string" && name.length > 0 && name.length <= 64) return name;
  throw new InvalidOptionError({ option: "name", expected: "1 to 64 characters", received: name });
}

function checkServer(server: UpgradeSource | undefined): UpgradeSource | null {
  if (server === undefined) return null;
  if (typeof server?.on === "function" && typeof server.listenerCount === "function") return server;
  throw new InvalidOptionError({ option: "server", expected: "a node:http or node:https server", received: server });
}
