import { InvalidOptionError, checkKeys, integer, type Encoding } from "@starcast/core";
import {
  gatewayOptionKeys,
  resolveGatewayOptions,
  type GatewayOptions,
  type ResolvedGatewayOptions,
} from "@starcast/core/gateway";
import type { Payload } from "./event-stream.ts";

/** What an `SseGateway` takes besides what both gateways do. */
export interface SseOptions extends GatewayOptions {
  /** Its name for the observer; a broker's second SSE gateway needs another. @default "sse" */
  readonly name?: string | undefined;
  /** What stands behind `data:`: the whole event, its data only, or an encoding such as `cloudEvents({ source })`. @default "envelope" */
  readonly payload?: Payload | undefined;
  /** Silence is broken this often; below the 30 s cut of the strictest common proxies. @default 15_000 */
  readonly heartbeatMs?: number | undefined;
  /** A client that takes no byte of what was written for so long is closed; it resumes where it was. @default 30_000 */
  readonly stallMs?: number | undefined;
  /** Age at which a connection is closed, +-20 %: the only bound on peers that vanished; reconnects lose nothing. @default 900_000 */
  readonly maxAgeMs?: number | undefined;
  /** After losing the connection a client waits a random time in this range, so that not all come back at once. @default { minMs: 1_000, maxMs: 5_000 } */
  readonly retry?: { readonly minMs?: number | undefined; readonly maxMs?: number | undefined } | undefined;
}

export interface ResolvedSseOptions {
  readonly gateway: ResolvedGatewayOptions;
  readonly name: string;
  readonly payload: Payload;
  readonly heartbeatMs: number;
  readonly stallMs: number;
  readonly maxAgeMs: number;
  readonly retry: { readonly minMs: number; readonly maxMs: number };
}

/** Complete, checked, frozen; throws `InvalidOptionError` at the first option that cannot be used. */
export function resolveSseOptions(options: SseOptions): ResolvedSseOptions {
  checkKeys("SseOptions", options ?? {}, [...gatewayOptionKeys, ...ownKeys]);
  const gateway = resolveGatewayOptions(options);
  const retry = checkKeys("retry", options.retry ?? {}, ["minMs", "maxMs"]);
  const minMs = integer("retry.minMs", retry.minMs, retryDefaults.minMs, { min: 0, max: 3_600_000 });
  const maxMs = integer("retry.maxMs", retry.maxMs, Math.max(retryDefaults.maxMs, minMs), { min: 0, max: 3_600_000 });
  if (minMs > maxMs)
    throw new InvalidOptionError({
      option: "retry.minMs",
      expected: `at most retry.maxMs (${maxMs})`,
      received: minMs,
    });
  return Object.freeze({
    gateway,
    name: checkName(options.name ?? defaults.name),
    payload: checkPayload(options.payload ?? defaults.payload),
    heartbeatMs: integer("heartbeatMs", options.heartbeatMs, defaults.heartbeatMs, { min: 1_000, max: 300_000 }),
    stallMs: integer("stallMs", options.stallMs, defaults.stallMs, { min: 1_000, max: 3_600_000 }),
    maxAgeMs: integer("maxAgeMs", options.maxAgeMs, defaults.maxAgeMs, { min: 1_000, max: Infinity }),
    retry: Object.freeze({ minMs, maxMs }),
  });
}

const ownKeys = ["name", "payload", "heartbeatMs", "stallMs", "maxAgeMs", "retry"];

const retryDefaults = Object.freeze({ minMs: 1_000, maxMs: 5_000 });

const defaults = Object.freeze({
  name: "sse",
  payload: "envelope" as Payload,
  heartbeatMs: 15_000,
  stallMs: 30_000,
  maxAgeMs: 900_000,
});

function checkName(name: unknown): string {
  if (typeof name === "string" && name.length > 0 && name.length <= 64) return name;
  throw new InvalidOptionError({ option: "name", expected: "1 to 64 characters", received: name });
}

function checkPayload(payload: unknown): Payload {
  if (payload === "envelope" || payload === "data" || isEncoding(payload)) return payload;
  throw new InvalidOptionError({ option: "payload", expected: '"envelope", "data" or an Encoding', received: payload });
}

function isEncoding(value: unknown): value is Encoding {
  return typeof value === "object" && value !== null && "encode" in value && typeof value.encode === "function";
}
