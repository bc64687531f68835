import { StarcastError, describe } from "@starcast/core";
import { findChanges } from "./changes.ts";
import type { Change } from "./changes.ts";
import type { EntryKind } from "./entry-kind.ts";
import { models } from "./model.ts";
import type { Model } from "./model.ts";

/** An entry that is in both catalogs and not the same. */
export interface Update<Entry> {
  readonly entry: Entry;
  readonly previous: Entry;
  readonly changes: readonly Change[];
}

/** What leads from one catalog to the next; each list ordered by key. */
export interface CatalogDiff<Entry> {
  readonly added: readonly Entry[];
  readonly updated: readonly Update<Entry>[];
  readonly deleted: readonly Entry[];
  readonly unchanged: number;
}

/** A catalog at one moment: every entry by its key. */
export type Snapshot<Entry> = ReadonlyMap<string, Entry>;

/**
 * What changed from `before` to `after`: entries are the same by key, and unchanged when deeply equal as JSON.
 * Throws `invalid_data` when a catalog names an entry twice. Pure; the order of the inputs says nothing.
 */
export function diffCatalogs(before: Iterable<Model>, after: Iterable<Model>): CatalogDiff<Model>;
export function diffCatalogs<Entry>(
  before: Iterable<Entry>,
  after: Iterable<Entry>,
  kind: EntryKind<string, Entry>,
): CatalogDiff<Entry>;
export function diffCatalogs(
  before: Iterable<Model>,
  after: Iterable<Model>,
  kind: EntryKind<string, Model> = models,
): CatalogDiff<Model> {
  return diffSnapshots(snapshotOf(before, kind), snapshotOf(after, kind));
}

/** Entries by key; throws `invalid_data` for a key that comes twice. */
export function snapshotOf<Entry>(entries: Iterable<Entry>, kind: EntryKind<string, Entry>): Snapshot<Entry> {
  const snapshot = new Map<string, Entry>();
  for (const entry of entries) {
    const key = kind.keyOf(entry);
    if (snapshot.has(key)) {
      throw new StarcastError(
        "invalid_data",
        `Expected every ${kind.noun} once, got two with the key ${describe(key)}`,
      );
    }
    snapshot.set(key, entry);
  }
  return snapshot;
}

/** The diff of two snapshots, in one pass over each. */
export function diffSnapshots<Entry>(before: Snapshot<Entry>, after: Snapshot<Entry>): CatalogDiff<Entry> {
  const added: Keyed<Entry>[] = [];
  const updated: Keyed<Update<Entry>>[] = [];
  const deleted: Keyed<Entry>[] = [];
  let unchanged = 0;
  for (const [key, entry] of after) {
    const previous = before.get(key);
    if (previous === undefined) {
      added.push([key, entry]);
      continue;
    }
    const changes = findChanges(previous, entry);
    if (changes.length === 0) unchanged += 1;
    else updated.push([key, { entry, previous, changes }]);
  }
  for (const [key, entry] of before) if (!after.has(key)) deleted.push([key, entry]);
  return { added: byKey(added), updated: byKey(updated), deleted: byKey(deleted), unchanged };
}

type Keyed<Value> = [key: string, value: Value];

function byKey<Value>(keyed: Keyed<Value>[]): readonly Value[] {
  return keyed.sort(([a], [b]) => compareText(a, b)).map(([, value]) => value);
}

// By code unit: the same on every machine, whatever its locale.
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
