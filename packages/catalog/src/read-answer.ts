import { StarcastError, describe, isStarcastError } from "@starcast/core";
import { snapshotOf } from "./diff-catalogs.ts";
import type { Snapshot } from "./diff-catalogs.ts";
import { parseFrozen } from "./frozen-json.ts";
import type { ResolvedCatalogSyncOptions } from "./options.ts";
import type { SourceAnswer } from "./sources/source.ts";

/** A source's answer, checked: frozen JSON values by key. */
export type ReadAnswer<Entry> =
  | { readonly kind: "unchanged" }
  | {
      readonly kind: "catalog";
      readonly snapshot: Snapshot<Entry>;
      readonly version: string | null;
      readonly bytes: number;
    };

type Limits<Entry> = Pick<
  ResolvedCatalogSyncOptions<Entry>,
  "kind" | "maxEntries" | "maxEntryBytes" | "maxCatalogBytes"
>;

/** Throws `source_failed` for an answer that is not a whole, sound catalog within the limits. Pure. */
export function readAnswer<Entry>(answer: SourceAnswer<Entry>, limits: Limits<Entry>): ReadAnswer<Entry> {
  if (isList(answer)) return readEntries(answer, null, limits);
  if (typeof answer === "object" && answer !== null) {
    if (answer.kind === "unchanged") return answer;
    if (answer.kind === "catalog" && isList(answer.entries)) {
      return readEntries(answer.entries, answer.version ?? null, limits);
    }
  }
  throw failed(`a list of entries, { kind: "catalog", entries, version } or { kind: "unchanged" }`, describe(answer));
}

function readEntries<Entry>(
  entries: readonly Entry[],
  version: string | null,
  limits: Limits<Entry>,
): ReadAnswer<Entry> {
  if (entries.length > limits.maxEntries) {
    throw failed(`at most ${limits.maxEntries} entries (maxEntries)`, String(entries.length));
  }
  let bytes = 0;
  const read = entries.map((entry, index) => {
    const text = jsonOf(entry, index);
    const entryBytes = encoder.encode(text).byteLength;
    bytes += entryBytes;
    if (entryBytes > limits.maxEntryBytes) {
      throw failed(
        `entries of at most ${limits.maxEntryBytes} bytes (maxEntryBytes)`,
        `${entryBytes} in number ${index + 1}`,
      );
    }
    if (bytes > limits.maxCatalogBytes) {
      throw failed(
        `at most ${limits.maxCatalogBytes} bytes of entries (maxCatalogBytes)`,
        `more by number ${index + 1}`,
      );
    }
    // The entry as JSON has it: what is compared, kept and published is one and the same.
    return parseFrozen(text) as Entry;
  });
  try {
    return { kind: "catalog", snapshot: snapshotOf(read, limits.kind), version, bytes };
  } catch (error) {
    if (isStarcastError(error)) throw new StarcastError("source_failed", error.message, { cause: error });
    throw failed("entries with a key", "an entry whose key cannot be read", error);
  }
}

function jsonOf(entry: unknown, index: number): string {
  let text: string | undefined;
  try {
    text = typeof entry === "object" && entry !== null ? JSON.stringify(entry) : undefined;
  } catch (error) {
    throw failed("entries that JSON can say", `number ${index + 1}`, error);
  }
  if (text === undefined) throw failed("entries to be objects", `${describe(entry)} as number ${index + 1}`);
  return text;
}

function failed(expected: string, received: string, cause?: unknown): StarcastError {
  return new StarcastError(
    "source_failed",
    `Expected a source to give ${expected}, got ${received}`,
    cause === undefined ? undefined : { cause },
  );
}

// Array.isArray forgets that the list is readonly.
function isList<Entry>(value: SourceAnswer<Entry>): value is readonly Entry[];
function isList(value: unknown): value is readonly unknown[];
function isList(value: unknown): boolean {
  return Array.isArray(value);
}

const encoder = new TextEncoder();
