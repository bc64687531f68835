import { InvalidOptionError } from "@starcast/core";

/** What sort of thing a catalog holds: the word its events are named by, and what tells two entries apart. */
export interface EntryKind<Noun extends string, Entry> {
  /** `model` makes `model.added`, `model.updated`, `model.deleted`, with the entry in `data.model`. */
  readonly noun: Noun;
  /** Unique within a catalog and stable over time; becomes the events' subject. Throws for what cannot be an entry. */
  readonly keyOf: (entry: Entry) => string;
}

/** Declares a kind of entry; without `keyOf` the key is the entry's `id`. */
export function entryKind<const Noun extends string, Entry extends { readonly id: string }>(
  noun: Noun,
  keyOf: (entry: Entry) => string = idOf,
): EntryKind<Noun, Entry> {
  if (typeof noun !== "string" || !/^[A-Za-z0-9_-]{1,64}$/.test(noun)) {
    throw new InvalidOptionError({
      option: "noun",
      expected: "1 to 64 characters of A-Z, a-z, 0-9, _ or -",
      received: noun,
    });
  }
  // Both would be members of the same payload.
  if (noun === "previous" || noun === "changes" || noun === "sync") {
    throw new InvalidOptionError({
      option: "noun",
      expected: "a word other than previous, changes and sync",
      received: noun,
    });
  }
  return Object.freeze({ noun, keyOf });
}

function idOf(entry: { readonly id: string }): string {
  return entry.id;
}
