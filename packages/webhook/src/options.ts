import { InvalidOptionError, checkCloudEventsSource, checkKeys, flag, integer } from "@starcast/core";
import { dial, type Dial } from "./guarded-connect.ts";
import { dnsLookup, type NameLookup } from "./name-lookup.ts";
import { defaultScheduleMs } from "./retry-schedule.ts";
import { SecretBox } from "./secret-box.ts";
import { parseUnlocked, type Unlocked } from "./url-guard.ts";

/** How deliveries are made. */
export interface WebhookDispatcherOptions {
  /** Unique per broker and store: the place in the log, and the endpoints, are kept under it. @default "webhooks" */
  readonly name?: string | undefined;
  /** Exact origins and networks that may be called although they are not public: `["http://localhost:4000", "10.1.0.0/16"]`. @default [] */
  readonly allow?: readonly string[] | undefined;
  /** Ports of endpoints; what listens elsewhere is rarely meant to be called. @default [80, 443, 8080, 8443] */
  readonly ports?: readonly number[] | undefined;
  /** Seals keys and headers in the store: 32 bytes in base64. Of several the first seals, also what another sealed before. @default none: kept readable */
  readonly encryptionKey?: string | readonly string[] | undefined;
  /** Waits before each attempt; its length is their number. @default 10 attempts in 75 hours */
  readonly scheduleMs?: readonly number[] | undefined;
  /** Time and size limits of an attempt. @default see AttemptOptions */
  readonly attempt?: AttemptOptions | undefined;
  /**
   * Attempts at once, over all endpoints: each holds a connection. Endpoints that failed last, or were not tried yet, get
   * half of them, so that however many hang the others go on.
   * @default 1_024
   */
  readonly maxInFlight?: number | undefined;
  /** When an endpoint is given a rest, or turned off. @default see HealthOptions */
  readonly health?: HealthOptions | undefined;
  /** How long finished and dead deliveries can be looked at and sent again; 30 days. @default 2_592_000_000 */
  readonly keepFinishedMs?: number | undefined;
  /** Whose events these are, for endpoints that want CloudEvents: a URI reference. @default none: such endpoints are refused */
  readonly source?: string | undefined;
  /** Also publishes `webhook.endpoint.disabled` and `webhook.delivery.dead` as events. @default false */
  readonly publishOutcomes?: boolean | undefined;
  /** Where names are looked up and how connections are made; for tests. @default c-ares, TCP and TLS */
  readonly network?: NetworkOptions | undefined;
}

/** Time and size limits of one attempt. */
export interface AttemptOptions {
  /** The whole attempt by the wall clock, name look-up to last byte; receivers should answer first and work later. @default 15_000 */
  readonly deadlineMs?: number | undefined;
  /** Name look-up, TCP and TLS together. @default 5_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Answer heads beyond this end the attempt. @default 16_384 */
  readonly maxAnswerHeadBytes?: number | undefined;
  /** Answer bodies are read so far, then the connection is destroyed; the status still counts. @default 16_384 */
  readonly maxAnswerBytes?: number | undefined;
  /** Kept of an answer's body, for people. @default 4_096 */
  readonly keptAnswerBytes?: number | undefined;
}

/** When an endpoint is given a rest, or turned off. */
export interface HealthOptions {
  /** Share of failures in five minutes, in percent, at which the breaker opens. @default 70 */
  readonly breakerFailurePercent?: number | undefined;
  /** Attempts in five minutes below which it never opens. @default 10 */
  readonly breakerMinAttempts?: number | undefined;
  /** Rest before the first probe; doubled after each that fails, up to ten minutes. @default 30_000 */
  readonly breakerRestMs?: number | undefined;
  /** Days of only failures after which an endpoint is turned off; longer than one delivery is tried. @default 5 */
  readonly disableAfterDays?: number | undefined;
}

/** What stands between an attempt and the network. */
export interface NetworkOptions {
  /** DNS servers, as `dns.setServers` takes them. @default the system's */
  readonly dnsServers?: readonly string[] | undefined;
  /** Certificates of authorities trusted in place of the well-known ones, in PEM. @default the well-known ones */
  readonly ca?: readonly string[] | undefined;
  /** Finds the addresses of a name. @default dnsLookup() */
  readonly lookup?: NameLookup | undefined;
  /** Makes a connection to addresses that were judged. @default dial */
  readonly dial?: Dial | undefined;
}

export interface ResolvedAttemptOptions {
  readonly deadlineMs: number;
  readonly connectTimeoutMs: number;
  readonly maxAnswerHeadBytes: number;
  readonly maxAnswerBytes: number;
  readonly keptAnswerBytes: number;
}

export interface ResolvedHealthOptions {
  readonly breakerFailurePercent: number;
  readonly breakerMinAttempts: number;
  readonly breakerRestMs: number;
  readonly disableAfterDays: number;
}

export interface ResolvedWebhookDispatcherOptions {
  readonly name: string;
  readonly unlocked: Unlocked;
  readonly ports: readonly number[];
  readonly box: SecretBox;
  readonly scheduleMs: readonly number[];
  readonly attempt: ResolvedAttemptOptions;
  readonly maxInFlight: number;
  readonly health: ResolvedHealthOptions;
  readonly keepFinishedMs: number;
  readonly source: string | null;
  readonly publishOutcomes: boolean;
  readonly network: { readonly lookup: NameLookup; readonly dial: Dial; readonly ca: readonly string[] | null };
}

/** Complete, checked, frozen; throws `InvalidOptionError` at the first option that cannot be used. */
export function resolveWebhookDispatcherOptions(options: WebhookDispatcherOptions): ResolvedWebhookDispatcherOptions {
  checkKeys("WebhookDispatcherOptions", options, knownKeys);
  const { encryptionKey, name = "webhooks" } = options;
  if (typeof name !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(name)) {
    throw new InvalidOptionError({ option: "name", expected: "1 to 64 of A-Z, a-z, 0-9, _ and -", received: name });
  }
  return Object.freeze({
    name,
    unlocked: parseUnlocked(options.allow ?? []),
    ports: checkPorts(options.ports ?? [80, 443, 8080, 8443]),
    box: new SecretBox(typeof encryptionKey === "string" ? [encryptionKey] : (encryptionKey ?? [])),
    scheduleMs: checkSchedule(options.scheduleMs ?? defaultScheduleMs),
    attempt: resolveAttempt(options.attempt ?? {}),
    maxInFlight: integer("maxInFlight", options.maxInFlight, 1_024, { min: 1, max: 65_536 }),
    health: resolveHealth(options.health ?? {}),
    keepFinishedMs: integer("keepFinishedMs", options.keepFinishedMs, 2_592_000_000, { min: 60_000, max: Infinity }),
    source: options.source === undefined ? null : checkCloudEventsSource(options.source),
    publishOutcomes: flag("publishOutcomes", options.publishOutcomes, false),
    network: resolveNetwork(options.network ?? {}),
  });
}

const knownKeys: readonly (keyof WebhookDispatcherOptions)[] = [
  "name",
  "allow",
  "ports",
  "encryptionKey",
  "scheduleMs",
  "attempt",
  "maxInFlight",
  "health",
  "keepFinishedMs",
  "source",
  "publishOutcomes",
  "network",
];

function resolveAttempt(options: AttemptOptions): ResolvedAttemptOptions {
  checkKeys("attempt", options, [
    "deadlineMs",
    "connectTimeoutMs",
    "maxAnswerHeadBytes",
    "maxAnswerBytes",
    "keptAnswerBytes",
  ]);
  const resolved = {
    deadlineMs: integer("attempt.deadlineMs", options.deadlineMs, 15_000, { min: 100, max: 300_000 }),
    connectTimeoutMs: integer("attempt.connectTimeoutMs", options.connectTimeoutMs, 5_000, { min: 100, max: 300_000 }),
    maxAnswerHeadBytes: integer("attempt.maxAnswerHeadBytes", options.maxAnswerHeadBytes, 16_384, {
      min: 1_024,
      max: 1_048_576,
    }),
    maxAnswerBytes: integer("attempt.maxAnswerBytes", options.maxAnswerBytes, 16_384, { min: 0, max: 16_777_216 }),
    keptAnswerBytes: integer("attempt.keptAnswerBytes", options.keptAnswerBytes, 4_096, { min: 0, max: 65_536 }),
  };
  if (resolved.connectTimeoutMs > resolved.deadlineMs) {
    const expected = `at most attempt.deadlineMs (${resolved.deadlineMs})`;
    throw new InvalidOptionError({ option: "attempt.connectTimeoutMs", expected, received: resolved.connectTimeoutMs });
  }
  return Object.freeze(resolved);
}

function resolveHealth(options: HealthOptions): ResolvedHealthOptions {
  checkKeys("health", options, ["breakerFailurePercent", "breakerMinAttempts", "breakerRestMs", "disableAfterDays"]);
  return Object.freeze({
    breakerFailurePercent: integer("health.breakerFailurePercent", options.breakerFailurePercent, 70, {
      min: 1,
      max: 100,
    }),
    breakerMinAttempts: integer("health.breakerMinAttempts", options.breakerMinAttempts, 10, { min: 1, max: Infinity }),
    breakerRestMs: integer("health.breakerRestMs", options.breakerRestMs, 30_000, { min: 100, max: 600_000 }),
    disableAfterDays: integer("health.disableAfterDays", options.disableAfterDays, 5, { min: 1, max: Infinity }),
  });
}

function resolveNetwork(options: NetworkOptions): ResolvedWebhookDispatcherOptions["network"] {
  checkKeys("network", options, ["dnsServers", "ca", "lookup", "dial"]);
  const { dnsServers, ca, lookup, dial: dialling = dial } = options;
  return Object.freeze({ lookup: lookup ?? dnsLookup(dnsServers), dial: dialling, ca: ca ?? null });
}

function checkPorts(ports: readonly number[]): readonly number[] {
  const isFine =
    Array.isArray(ports) &&
    ports.length > 0 &&
    ports.every((port) => Number.isInteger(port) && port >= 1 && port <= 65_535);
  if (!isFine)
    throw new InvalidOptionError({ option: "ports", expected: "a list of ports from 1 to 65535", received: ports });
  return Object.freeze([...ports]);
}

const longestWaitMs = 30 * 86_400_000;

function checkSchedule(scheduleMs: readonly number[]): readonly number[] {
  const isFine =
    Array.isArray(scheduleMs) &&
    scheduleMs.length >= 1 &&
    scheduleMs.length <= 100 &&
    scheduleMs.every((waitMs) => Number.isInteger(waitMs) && waitMs >= 0 && waitMs <= longestWaitMs);
  if (!isFine)
    throw new InvalidOptionError({
      option: "scheduleMs",
      expected: `1 to 100 waits of 0 to ${longestWaitMs} ms`,
      received: scheduleMs,
    });
  return Object.freeze([...scheduleMs]);
}
