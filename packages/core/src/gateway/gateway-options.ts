import { InvalidOptionError } from "../errors.ts";
import { checkKeys, integer } from "../option-checks.ts";
import type { ConnectionLimits } from "./admission.ts";
import type { Authorize } from "./grant.ts";
import { parseIpBlock, type IpBlock } from "./ip-address.ts";
import { hostName } from "./origin.ts";

/** What both gateways take, with one meaning. */
export interface GatewayOptions {
  /** Judges who comes in; `allowAnyone` for public streams. Required, so that nothing is open by forgetting. */
  readonly authorize: Authorize;
  /** How long `authorize` may take before the client is told to come back. @default 5_000 */
  readonly authorizeTimeoutMs?: number | undefined;
  /** Origins whose pages may read the stream besides those of the same host, exactly: `https://app.example`. @default [] */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** Hosts that may be asked, with or without port. @default any; on a loopback listener only loopback names */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Addresses and blocks whose X-Forwarded-For is believed; `[]` says there is no proxy. @default none, and private peers are not counted per address */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Caps on connections, counted over all gateways of the broker. @default { maxConnections: 10_000, maxPerAddress: 100, maxPerIdentity: 20, maxNewPerSecond: 200 } */
  readonly connections?: ConnectionLimitsOptions | undefined;
  /** How far back a client may resume, in events, unless its grant says otherwise; beyond, a told gap. @default 10_000 */
  readonly maxReplayEvents?: number | undefined;
  /** From the notice that a grant has ended to the close: time to bring a new token. @default 25_000 */
  readonly tokenGraceMs?: number | undefined;
}

export interface ConnectionLimitsOptions {
  /** All gateways of the broker together. @default 10_000 */
  readonly maxConnections?: number | undefined;
  /** One IPv4 address or IPv6 /64: an office behind one address fits, a flood does not. @default 100 */
  readonly maxPerAddress?: number | undefined;
  /** One identity: a person with some devices and tabs. @default 20 */
  readonly maxPerIdentity?: number | undefined;
  /** New connections per second: what one core can greet without delaying the others. @default 200 */
  readonly maxNewPerSecond?: number | undefined;
}

export interface ResolvedGatewayOptions {
  readonly authorize: Authorize;
  readonly authorizeTimeoutMs: number;
  readonly allowedOrigins: readonly string[];
  readonly allowedHosts: readonly string[] | null;
  readonly trustedProxies: readonly IpBlock[] | null;
  readonly connections: ConnectionLimits;
  readonly maxReplayEvents: number;
  readonly tokenGraceMs: number;
}

/** The keys of `GatewayOptions`, for a gateway that checks its own and these together. */
export const gatewayOptionKeys: readonly string[] = [
  "authorize",
  "authorizeTimeoutMs",
  "allowedOrigins",
  "allowedHosts",
  "trustedProxies",
  "connections",
  "maxReplayEvents",
  "tokenGraceMs",
];

/** Complete, checked, frozen; keys that are a gateway's own are not looked at. Throws `InvalidOptionError`. */
export function resolveGatewayOptions(options: GatewayOptions): ResolvedGatewayOptions {
  if (typeof options?.authorize !== "function") {
    throw new InvalidOptionError({
      option: "authorize",
      expected: "a function (visitor) => grant or null; `allowAnyone` lets everybody in",
      received: options?.authorize,
    });
  }
  const connections = checkKeys("connections", options.connections ?? {}, Object.keys(connectionDefaults));
  return Object.freeze({
    authorize: options.authorize,
    authorizeTimeoutMs: integer("authorizeTimeoutMs", options.authorizeTimeoutMs, defaults.authorizeTimeoutMs, {
      min: 10,
      max: 60_000,
    }),
    allowedOrigins: list(
      "allowedOrigins",
      options.allowedOrigins ?? defaults.allowedOrigins,
      readOrigin,
      "origins like https://app.example",
    ),
    allowedHosts:
      options.allowedHosts === undefined
        ? null
        : list("allowedHosts", options.allowedHosts, readHost, "hosts like app.example or app.example:8443"),
    trustedProxies:
      options.trustedProxies === undefined
        ? null
        : list("trustedProxies", options.trustedProxies, readBlock, "addresses or blocks like 10.0.0.0/8"),
    connections: Object.freeze({
      maxConnections: limit("maxConnections", connections),
      maxPerAddress: limit("maxPerAddress", connections),
      maxPerIdentity: limit("maxPerIdentity", connections),
      maxNewPerSecond: limit("maxNewPerSecond", connections),
    }),
    maxReplayEvents: integer("maxReplayEvents", options.maxReplayEvents, defaults.maxReplayEvents, {
      min: 0,
      max: Infinity,
    }),
    tokenGraceMs: integer("tokenGraceMs", options.tokenGraceMs, defaults.tokenGraceMs, { min: 0, max: 600_000 }),
  });
}

const connectionDefaults: ConnectionLimits = Object.freeze({
  maxConnections: 10_000,
  maxPerAddress: 100,
  maxPerIdentity: 20,
  maxNewPerSecond: 200,
});

const noOrigins: readonly string[] = [];

const defaults = Object.freeze({
  authorizeTimeoutMs: 5_000,
  allowedOrigins: noOrigins,
  maxReplayEvents: 10_000,
  tokenGraceMs: 25_000,
});

function limit(name: keyof ConnectionLimits, options: ConnectionLimitsOptions): number {
  return integer(`connections.${name}`, options[name], connectionDefaults[name], { min: 1, max: Infinity });
}

function list<Item>(
  option: string,
  values: readonly string[],
  read: (text: string) => Item | null,
  what: string,
): readonly Item[] {
  if (!Array.isArray(values)) throw new InvalidOptionError({ option, expected: `a list of ${what}`, received: values });
  return values.map((value: unknown, index) => {
    const item = typeof value === "string" ? read(value) : null;
    if (item === null)
      throw new InvalidOptionError({ option: `${option}[${index}]`, expected: `one of ${what}`, received: value });
    return item;
  });
}

// Extensions and native shells have schemes of their own; "null" is every sandboxed page at once, and "*" everybody.
function readOrigin(text: string): string | null {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s*\\]+$/i.test(text) ? text.toLowerCase() : null;
}

function readHost(text: string): string | null {
  return hostName(text) === null ? null : text.toLowerCase();
}

function readBlock(text: string): IpBlock | null {
  return parseIpBlock(text);
}
