import {
  InvalidOptionError,
  checkKeys,
  flag,
  integer,
  oneOf,
  realSurroundings,
  type Surroundings,
} from "@starcast/core";

export interface JetStreamOptions {
  /** Where NATS listens, such as `nats://10.0.0.1:4222`; several of one cluster for reconnecting. No credentials in it. @default NATS on this machine */
  readonly servers?: string | readonly string[] | undefined;
  /** Name of the stream; its buckets are named after it. One stream is one log. @default "starcast" */
  readonly stream?: string | undefined;
  /** Who this is: one of the ways NATS knows. @default nobody in particular */
  readonly credentials?: JetStreamCredentials | undefined;
  /** TLS towards NATS: certificates as PEM text, or the files they are in. @default as the server asks */
  readonly tls?: JetStreamTls | undefined;
  /** Copies of the stream in a cluster; 3 survives the loss of a server. Used when the stream is made. @default 1 */
  readonly replicas?: number | undefined;
  /** What is kept; beyond, the oldest events go, and a cursor that needs them gets a gap. Used when the stream is made. @default see JetStreamRetention */
  readonly retention?: JetStreamRetention | undefined;
  /** What an acknowledged `publish` survives, as the servers are set up: `disk` only under `sync_interval: always`. @default "process" */
  readonly durability?: "process" | "disk" | undefined;
  /** Events on their way to JetStream at once; more wait here. @default 256 */
  readonly maxInFlight?: number | undefined;
  /** How long an event waits for its acknowledgement before `publish` rejects with `timed_out`. @default 5_000 */
  readonly publishTimeoutMs?: number | undefined;
  /** What becomes of events published while NATS is away: wait for it within `publishTimeoutMs`, or fail at once. @default "wait" */
  readonly whileAway?: "wait" | "fail" | undefined;
  /** Refuses to append after what another process appended: for one writer that must know. @default false */
  readonly isSingleWriter?: boolean | undefined;
  /** How long a dedupe key is remembered: no longer than events (`retention.maxAgeMs`). Used when the stream is made. @default 300_000 */
  readonly dedupeWindowMs?: number | undefined;
  /** Unfinished webhook deliveries per endpoint; beyond, dead (`overflow`). @default 100_000 */
  readonly maxPerEndpoint?: number | undefined;
  /** Clock, timers and chance, for tests. @default the real ones */
  readonly surroundings?: Surroundings | undefined;
}

export interface JetStreamRetention {
  /** Events kept. @default 1_000_000 */
  readonly maxEvents?: number | undefined;
  /** Bytes kept, as JetStream counts them. @default 1_073_741_824 */
  readonly maxBytes?: number | undefined;
  /** Age of the oldest event kept. @default Infinity */
  readonly maxAgeMs?: number | undefined;
}

export interface JetStreamTls {
  readonly ca?: string | undefined;
  readonly caFile?: string | undefined;
  readonly cert?: string | undefined;
  readonly certFile?: string | undefined;
  readonly key?: string | undefined;
  readonly keyFile?: string | undefined;
  /** TLS before the server's first word (`handshake_first`). */
  readonly handshakeFirst?: boolean | undefined;
}

/** A token, a user, an nkey seed, or the text of a `.creds` file. */
export type JetStreamCredentials =
  | { readonly token: string }
  | { readonly user: string; readonly password: string }
  | { readonly nkeySeed: Uint8Array }
  | { readonly creds: Uint8Array };

export interface ResolvedJetStreamOptions {
  readonly servers: readonly string[];
  readonly stream: string;
  readonly credentials: JetStreamCredentials | null;
  readonly tls: JetStreamTls | null;
  readonly replicas: number;
  readonly retention: { readonly maxEvents: number; readonly maxBytes: number; readonly maxAgeMs: number };
  readonly durability: "process" | "disk";
  readonly maxInFlight: number;
  readonly publishTimeoutMs: number;
  readonly whileAway: "wait" | "fail";
  readonly isSingleWriter: boolean;
  readonly dedupeWindowMs: number;
  readonly maxPerEndpoint: number;
  readonly surroundings: Surroundings;
}

/** Complete, checked, frozen; throws `InvalidOptionError` at the first option that cannot be used. */
export function resolveJetStreamOptions(options: JetStreamOptions): ResolvedJetStreamOptions {
  checkKeys("JetStreamOptions", options, [...Object.keys(defaults), "credentials", "tls", "retention", "surroundings"]);
  const retention = checkRetention(options.retention);
  return Object.freeze({
    servers: checkServers(options.servers ?? defaults.servers),
    stream: checkStream(options.stream ?? defaults.stream),
    credentials: checkCredentials(options.credentials),
    tls: checkTls(options.tls),
    replicas: integer("replicas", options.replicas, defaults.replicas, { min: 1, max: 5 }),
    retention,
    durability: oneOf("durability", options.durability, defaults.durability, ["process", "disk"]),
    maxInFlight: integer("maxInFlight", options.maxInFlight, defaults.maxInFlight, { min: 1, max: 65_536 }),
    publishTimeoutMs: integer("publishTimeoutMs", options.publishTimeoutMs, defaults.publishTimeoutMs, {
      min: 100,
      max: 600_000,
    }),
    whileAway: oneOf("whileAway", options.whileAway, defaults.whileAway, ["wait", "fail"]),
    isSingleWriter: flag("isSingleWriter", options.isSingleWriter, defaults.isSingleWriter),
    dedupeWindowMs: checkDedupeWindow(options.dedupeWindowMs, retention.maxAgeMs),
    maxPerEndpoint: integer("maxPerEndpoint", options.maxPerEndpoint, defaults.maxPerEndpoint, {
      min: 1,
      max: Infinity,
    }),
    surroundings: options.surroundings ?? realSurroundings,
  });
}

function checkRetention(given: JetStreamRetention = {}): ResolvedJetStreamOptions["retention"] {
  const { maxEvents, maxBytes, maxAgeMs } = checkKeys("retention", given, Object.keys(retentionDefaults));
  return Object.freeze({
    maxEvents: integer("retention.maxEvents", maxEvents, retentionDefaults.maxEvents, { min: 2, max: Infinity }),
    maxBytes: integer("retention.maxBytes", maxBytes, retentionDefaults.maxBytes, { min: 1_024, max: Infinity }),
    maxAgeMs: integer("retention.maxAgeMs", maxAgeMs, retentionDefaults.maxAgeMs, { min: 1_000, max: Infinity }),
  });
}

/** JetStream makes no stream that remembers keys for longer than events. */
function checkDedupeWindow(given: number | undefined, maxAgeMs: number): number {
  const max = Math.min(86_400_000, maxAgeMs);
  return integer("dedupeWindowMs", given, Math.min(defaults.dedupeWindowMs, max), { min: 100, max });
}

function checkServers(servers: unknown): readonly string[] {
  const list: unknown = typeof servers === "string" ? [servers] : servers;
  if (!Array.isArray(list) || list.length === 0 || !list.every((each) => typeof each === "string"))
    throw new InvalidOptionError({ option: "servers", expected: "a URL or a list of URLs", received: servers });
  for (const server of list as readonly string[]) {
    // What follows the credentials is shown, never they themselves.
    if (!server.includes("@")) continue;
    throw new InvalidOptionError({
      option: "servers",
      expected: "URLs without credentials (those go into `credentials`)",
      received: `…@${server.slice(server.lastIndexOf("@") + 1)}`,
    });
  }
  return Object.freeze([...(list as readonly string[])]);
}

function checkStream(stream: unknown): string {
  if (typeof stream === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(stream)) return stream;
  throw new InvalidOptionError({ option: "stream", expected: "1 to 64 of [A-Za-z0-9_-]", received: stream });
}

function checkTls(tls: JetStreamTls | undefined): JetStreamTls | null {
  if (tls === undefined) return null;
  return checkKeys("tls", tls, ["ca", "caFile", "cert", "certFile", "key", "keyFile", "handshakeFirst"]);
}

function checkCredentials(credentials: JetStreamCredentials | undefined): JetStreamCredentials | null {
  if (credentials === undefined) return null;
  const kinds = ["token", "user", "nkeySeed", "creds"];
  if (typeof credentials === "object" && credentials !== null && kinds.some((kind) => kind in credentials))
    return credentials;
  // Whatever came may be a secret.
  throw new InvalidOptionError({
    option: "credentials",
    expected: "one of { token }, { user, password }, { nkeySeed }, { creds }",
    received: typeof credentials === "string" ? "a string" : credentials,
  });
}

const retentionDefaults = Object.freeze({
  maxEvents: 1_000_000,
  maxBytes: 1_073_741_824,
  maxAgeMs: Infinity,
});

const defaults = Object.freeze({
  servers: "nats://127.0.0.1:4222",
  stream: "starcast",
  replicas: 1,
  durability: "process" as const,
  maxInFlight: 256,
  publishTimeoutMs: 5_000,
  whileAway: "wait" as const,
  isSingleWriter: false,
  dedupeWindowMs: 300_000,
  maxPerEndpoint: 100_000,
});
