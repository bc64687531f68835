import { InvalidOptionError, checkKeys, integer, oneOf, realSurroundings, type Surroundings } from "@starcast/core";
import { readBootId } from "./epoch.ts";

export interface SqliteOptions {
  /** What survives an acknowledged `publish`: `process` a killed process, `disk` a power cut (an fsync per commit). @default "process" */
  readonly durability?: "process" | "disk" | undefined;
  /** What is kept; beyond, the oldest events go, and a cursor that needs them gets a gap. @default see SqliteRetention */
  readonly retention?: SqliteRetention | undefined;
  /** How long writes are gathered into one commit, unless 1,000 wait before; 0 is the next turn of the event loop. @default 0 */
  readonly commitMs?: number | undefined;
  /** Rows deleted per commit while retention catches up, so that no commit takes long. @default 1_000 */
  readonly pruneRows?: number | undefined;
  /** How long a dedupe key is remembered: longer than a publisher's retries take. @default 300_000 */
  readonly dedupeWindowMs?: number | undefined;
  /** Dedupe keys remembered at once; beyond, `overloaded`: the next is published when the oldest is forgotten. @default 100_000 */
  readonly maxDedupeKeys?: number | undefined;
  /** Names of durable subscriptions; a service has a handful, so more are made up per client. Beyond, `store_full`. @default 10_000 */
  readonly maxCheckpoints?: number | undefined;
  /** Unfinished webhook deliveries per endpoint; beyond, dead (`overflow`). @default 100_000 */
  readonly maxPerEndpoint?: number | undefined;
  /** Succeeded webhook deliveries kept, and dead ones; beyond, the oldest are forgotten. @default 100_000 */
  readonly maxFinished?: number | undefined;
  /** Handled webhooks that `seenIds` remembers: a week of one every ten seconds. Fewer than come within the tolerance, and replays pass. @default 50_000 */
  readonly maxSeenIds?: number | undefined;
  /** What names this start of the machine, where the host hides it: after another start the tail of a file that was not closed is doubted. @default the system's */
  readonly bootId?: string | undefined;
  /** Clock, timers and chance, for tests. @default the real ones */
  readonly surroundings?: Surroundings | undefined;
}

export interface SqliteRetention {
  /** Events kept. @default 1_000_000 */
  readonly maxEvents?: number | undefined;
  /** Bytes of events kept. @default 1_073_741_824 */
  readonly maxBytes?: number | undefined;
  /** Age of the oldest event kept. @default Infinity */
  readonly maxAgeMs?: number | undefined;
}

export interface ResolvedSqliteOptions {
  readonly durability: "process" | "disk";
  readonly retention: { readonly maxEvents: number; readonly maxBytes: number; readonly maxAgeMs: number };
  readonly commitMs: number;
  readonly pruneRows: number;
  readonly dedupeWindowMs: number;
  readonly maxDedupeKeys: number;
  readonly maxCheckpoints: number;
  readonly maxPerEndpoint: number;
  readonly maxFinished: number;
  readonly maxSeenIds: number;
  readonly bootId: string;
  readonly surroundings: Surroundings;
}

/** Complete, checked, frozen; throws `InvalidOptionError` at the first option that cannot be used. */
export function resolveSqliteOptions(options: SqliteOptions): ResolvedSqliteOptions {
  checkKeys("SqliteOptions", options, [...Object.keys(defaults), "retention", "bootId", "surroundings"]);
  const retention = checkKeys("retention", options.retention ?? {}, Object.keys(retentionDefaults));
  return Object.freeze({
    durability: oneOf("durability", options.durability, defaults.durability, ["process", "disk"]),
    retention: Object.freeze({
      maxEvents: integer("retention.maxEvents", retention.maxEvents, retentionDefaults.maxEvents, {
        min: 2,
        max: Infinity,
      }),
      maxBytes: integer("retention.maxBytes", retention.maxBytes, retentionDefaults.maxBytes, {
        min: 1_024,
        max: Infinity,
      }),
      maxAgeMs: integer("retention.maxAgeMs", retention.maxAgeMs, retentionDefaults.maxAgeMs, {
        min: 1_000,
        max: Infinity,
      }),
    }),
    commitMs: integer("commitMs", options.commitMs, defaults.commitMs, { min: 0, max: 1_000 }),
    pruneRows: integer("pruneRows", options.pruneRows, defaults.pruneRows, { min: 1, max: 1_000_000 }),
    dedupeWindowMs: integer("dedupeWindowMs", options.dedupeWindowMs, defaults.dedupeWindowMs, {
      min: 0,
      max: 86_400_000,
    }),
    maxDedupeKeys: integer("maxDedupeKeys", options.maxDedupeKeys, defaults.maxDedupeKeys, { min: 1, max: Infinity }),
    maxCheckpoints: integer("maxCheckpoints", options.maxCheckpoints, defaults.maxCheckpoints, {
      min: 1,
      max: Infinity,
    }),
    maxPerEndpoint: integer("maxPerEndpoint", options.maxPerEndpoint, defaults.maxPerEndpoint, {
      min: 1,
      max: Infinity,
    }),
    maxFinished: integer("maxFinished", options.maxFinished, defaults.maxFinished, { min: 0, max: Infinity }),
    maxSeenIds: integer("maxSeenIds", options.maxSeenIds, defaults.maxSeenIds, { min: 1, max: Infinity }),
    bootId: checkBootId(options.bootId) ?? readBootId(),
    surroundings: options.surroundings ?? realSurroundings,
  });
}

function checkBootId(bootId: unknown): string | undefined {
  if (bootId === undefined || (typeof bootId === "string" && /^[\x21-\x7e]{1,256}$/.test(bootId))) return bootId;
  throw new InvalidOptionError({ option: "bootId", expected: "1 to 256 printable characters", received: bootId });
}

const retentionDefaults = Object.freeze({
  maxEvents: 1_000_000,
  maxBytes: 1_073_741_824,
  maxAgeMs: Infinity,
});

const defaults = Object.freeze({
  durability: "process" as const,
  commitMs: 0,
  pruneRows: 1_000,
  dedupeWindowMs: 300_000,
  maxDedupeKeys: 100_000,
  maxCheckpoints: 10_000,
  maxPerEndpoint: 100_000,
  maxFinished: 100_000,
  maxSeenIds: 50_000,
});
