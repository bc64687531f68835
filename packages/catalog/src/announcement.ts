import type { CatalogDiff } from "./diff-catalogs.ts";
import type { EntryKind } from "./entry-kind.ts";

/** One event that a sync is about to publish, as it is kept until it is. */
export interface Announcement {
  readonly type: string;
  readonly subject: string;
  readonly data: unknown;
}

/** Counts of a sync, as `sync.completed` tells them. */
export interface SyncCounts {
  readonly added: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
}

/**
 * The events of a diff in the order they are published: added, updated, deleted, each by key, so that something renamed
 * is never missing altogether. Pure; the same diff always gives the same list.
 */
export function announcementsOf<Entry>(
  diff: CatalogDiff<Entry>,
  kind: EntryKind<string, Entry>,
): readonly Announcement[] {
  const announce = (change: string, entry: Entry, more: object = {}): Announcement => ({
    type: `${kind.noun}.${change}`,
    subject: kind.keyOf(entry),
    data: { [kind.noun]: entry, ...more },
  });
  return [
    ...diff.added.map((entry) => announce("added", entry)),
    ...diff.updated.map(({ entry, previous, changes }) => announce("updated", entry, { previous, changes })),
    ...diff.deleted.map((entry) => announce("deleted", entry)),
  ];
}

/** The catalog after the announced changes; announcing again what is already in it changes nothing. */
export function applyAnnouncements<Entry>(
  before: ReadonlyMap<string, Entry>,
  announcements: readonly Announcement[],
  kind: EntryKind<string, Entry>,
): Map<string, Entry> {
  const after = new Map(before);
  for (const { type, subject, data } of announcements) {
    if (type.endsWith(".deleted")) after.delete(subject);
    // Made by `announcementsOf`: the entry is the member named by the kind.
    else after.set(subject, (data as Readonly<Record<string, Entry>>)[kind.noun] as Entry);
  }
  return after;
}

export function countsOf(diff: CatalogDiff<unknown>): SyncCounts {
  return {
    added: diff.added.length,
    updated: diff.updated.length,
    deleted: diff.deleted.length,
    unchanged: diff.unchanged,
  };
}
