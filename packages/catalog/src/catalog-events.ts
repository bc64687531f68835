import { defineEvents, event } from "@starcast/core";
import type { AnyVocabulary, Vocabulary } from "@starcast/core";
import type { Change } from "./changes.ts";
import type { EntryKind } from "./entry-kind.ts";
import { models } from "./model.ts";
import type { Model } from "./model.ts";

/** A sync found changes; so many events about entries follow, then `sync.completed`. */
export interface SyncStarted {
  readonly changes: number;
}

/** Every change that a sync found has been published. */
export interface SyncCompleted {
  readonly added: number;
  readonly updated: number;
  readonly deleted: number;
  readonly unchanged: number;
  /** From the source's answer to the last change published. */
  readonly durationMs: number;
}

/** The entry after the change. */
export type EntryAdded<Noun extends string, Entry> = { readonly [Member in Noun]: Entry };

/** The entry after the change and before it, and where the two differ. */
export type EntryUpdated<Noun extends string, Entry> = EntryAdded<Noun, Entry> & {
  readonly previous: Entry;
  readonly changes: readonly Change[];
};

/** The entry as it was last. */
export type EntryDeleted<Noun extends string, Entry> = EntryAdded<Noun, Entry>;

/** The events about one kind of entry, and about syncing it. */
export type CatalogEvents<Noun extends string, Entry> = {
  readonly [Type in `${Noun}.added`]: EntryAdded<Noun, Entry>;
} & {
  readonly [Type in `${Noun}.updated`]: EntryUpdated<Noun, Entry>;
} & {
  readonly [Type in `${Noun}.deleted`]: EntryDeleted<Noun, Entry>;
} & {
  readonly "sync.started": SyncStarted;
  readonly "sync.completed": SyncCompleted;
};

export type ModelAdded = EntryAdded<"model", Model>;
export type ModelUpdated = EntryUpdated<"model", Model>;
export type ModelDeleted = EntryDeleted<"model", Model>;

/** What an AI-model catalog publishes: `model.added`, `model.updated`, `model.deleted`, `sync.started`, `sync.completed`. */
export const catalogEvents: Vocabulary<CatalogEvents<"model", Model>> = defineCatalogEvents(models);

/** The vocabulary of another kind of entry; the subject is its key, the state is the entry, gone when deleted. */
export function defineCatalogEvents<Noun extends string, Entry>(
  kind: EntryKind<Noun, Entry>,
): Vocabulary<CatalogEvents<Noun, Entry>> {
  const entryOf = (data: EntryAdded<Noun, Entry>): Entry => data[kind.noun];
  const subject = (data: EntryAdded<Noun, Entry>): string => kind.keyOf(entryOf(data));
  // The compiler cannot name the types a generic word makes; a vocabulary's own type is the compiler's knowledge only.
  const events: AnyVocabulary = defineEvents({
    [`${kind.noun}.added`]: event<EntryAdded<Noun, Entry>>({ subject, state: entryOf }),
    [`${kind.noun}.updated`]: event<EntryUpdated<Noun, Entry>>({ subject, state: entryOf }),
    [`${kind.noun}.deleted`]: event<EntryDeleted<Noun, Entry>>({ subject, state: () => undefined }),
    "sync.started": event<SyncStarted>(),
    "sync.completed": event<SyncCompleted>(),
  });
  return events;
}
