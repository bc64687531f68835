import { InvalidOptionError, checkKeys, flag, integer, oneOf } from "@starcast/core";
import type { EntryKind } from "./entry-kind.ts";
import { models } from "./model.ts";
import type { CatalogSource } from "./sources/source.ts";

/** What the first catalog ever seen means: where things start, or that everything in it is new. */
export type FirstLoad = "baseline" | "publish";

export interface CatalogSyncOptions<Entry> {
  /** Where the catalog comes from: a function, or what `fromFile`, `fromUrl` and `fromStarmap` make. */
  readonly source: CatalogSource<Entry>;
  /** What the catalog holds. @default models */
  readonly kind?: EntryKind<string, Entry> | undefined;
  /** The sync's own name: of its records, its lease and the subject of `sync.*`. A second one on a broker needs another. @default "catalog" */
  readonly name?: string | undefined;
  /** From the end of one poll to the next; catalogs change by the hour. `false`: only `sync()` polls. @default 60_000 */
  readonly intervalMs?: number | false | undefined;
  /** `baseline` publishes nothing for the first catalog ever seen, `publish` an `added` for each entry. @default "baseline" */
  readonly firstLoad?: FirstLoad | undefined;
  /** A source that has not answered is given up for this poll. @default 60_000 */
  readonly sourceTimeoutMs?: number | undefined;
  /** A catalog with more entries is refused as a whole. @default 100_000 */
  readonly maxEntries?: number | undefined;
  /** A catalog with a larger entry, as JSON, is refused: an update carries it about four times and fits an event of 256 KiB. @default 65_536 */
  readonly maxEntryBytes?: number | undefined;
  /** All entries of a catalog together, as JSON, in memory twice while compared. @default 67_108_864 */
  readonly maxCatalogBytes?: number | undefined;
  /** An empty catalog after one with entries is far more often a broken source than news, and refused. @default false */
  readonly allowEmpty?: boolean | undefined;
}

export interface ResolvedCatalogSyncOptions<Entry> {
  readonly source: CatalogSource<Entry>;
  readonly kind: EntryKind<string, Entry>;
  readonly name: string;
  readonly intervalMs: number | false;
  readonly firstLoad: FirstLoad;
  readonly sourceTimeoutMs: number;
  readonly maxEntries: number;
  readonly maxEntryBytes: number;
  readonly maxCatalogBytes: number;
  readonly allowEmpty: boolean;
}

/** Complete and frozen; throws `invalid_option` for what cannot be used, unknown names included. */
export function resolveCatalogSyncOptions<Entry>(
  options: CatalogSyncOptions<Entry>,
): ResolvedCatalogSyncOptions<Entry> {
  checkKeys("CatalogSyncOptions", options, knownKeys);
  const { source, kind, intervalMs } = options;
  if (typeof source !== "function") {
    throw new InvalidOptionError({ option: "source", expected: "a function that gives a catalog", received: source });
  }
  if (kind !== undefined && (typeof kind !== "object" || kind === null || typeof kind.keyOf !== "function")) {
    throw new InvalidOptionError({ option: "kind", expected: "what entryKind() makes", received: kind });
  }
  return Object.freeze({
    source,
    // Without `kind` entries are models; whatever else they are is told by the first answer.
    kind: kind ?? (models as unknown as EntryKind<string, Entry>),
    name: checkName(options.name ?? "catalog"),
    intervalMs:
      intervalMs === false ? false : integer("intervalMs", intervalMs, 60_000, { min: 10, max: 2_073_600_000 }),
    firstLoad: oneOf("firstLoad", options.firstLoad, "baseline", ["baseline", "publish"]),
    sourceTimeoutMs: integer("sourceTimeoutMs", options.sourceTimeoutMs, 60_000, { min: 1, max: 86_400_000 }),
    maxEntries: integer("maxEntries", options.maxEntries, 100_000, { min: 1, max: Infinity }),
    maxEntryBytes: integer("maxEntryBytes", options.maxEntryBytes, 65_536, { min: 2, max: Infinity }),
    maxCatalogBytes: integer("maxCatalogBytes", options.maxCatalogBytes, 67_108_864, { min: 2, max: Infinity }),
    allowEmpty: flag("allowEmpty", options.allowEmpty, false),
  });
}

const knownKeys = [
  "source",
  "kind",
  "name",
  "intervalMs",
  "firstLoad",
  "sourceTimeoutMs",
  "maxEntries",
  "maxEntryBytes",
  "maxCatalogBytes",
  "allowEmpty",
];

function checkName(name: unknown): string {
  if (typeof name === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(name)) return name;
  throw new InvalidOptionError({
    option: "name",
    expected: "1 to 64 characters of A-Z, a-z, 0-9, _ or -",
    received: name,
  });
}
