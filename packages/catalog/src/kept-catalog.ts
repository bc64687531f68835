import { StarcastError, formatPosition, parsePosition } from "@starcast/core";
import type { Position, RecordStore } from "@starcast/core";
import { applyAnnouncements } from "./announcement.ts";
import type { Announcement, SyncCounts } from "./announcement.ts";
import type { Snapshot } from "./diff-catalogs.ts";
import type { EntryKind } from "./entry-kind.ts";
import { parseFrozen } from "./frozen-json.ts";
import { bucketCountFor, bucketOf, splitIntoRecords } from "./record-layout.ts";

/** Changes that are being published: written down before the first of them is, and until the last is. */
export interface Pending {
  readonly run: string;
  /** Nothing of this run was published at or before it. */
  readonly after: Position;
  /** When the source answered, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly version: string | null;
  readonly buckets: number;
  readonly counts: SyncCounts;
  readonly announcements: readonly Announcement[];
}

/** What is known of a catalog: what was published last, and what is being published. */
export interface Kept<Entry> {
  readonly snapshot: Snapshot<Entry>;
  readonly version: string | null;
  readonly pending: Pending | null;
}

interface Head {
  readonly buckets: number;
  readonly version: string | null;
  readonly pending: (Omit<Pending, "announcements" | "after"> & { readonly after: string }) | null;
}

/**
 * A catalog in the store's records, so that every moment of a crash leaves either the old state with the changes to
 * publish, or the new one:
 *
 *     head            which layout, which version, which run is pending; every step ends with writing it
 *     b<count>/<n>    entries, by hash of their key
 *     run-<id>/<n>    the announcements of a run, written before the head that names it
 *
 * While a run is pending, buckets may hold some of its changes already: applying them again changes nothing. Writes carry
 * the revision that was read, so that a process that overslept its lease changes nothing either.
 */
export class KeptCatalog<Entry> {
  readonly #records: RecordStore;
  readonly #kind: EntryKind<string, Entry>;
  readonly #prefix: string;
  readonly #revisions = new Map<string, number>();
  #head: Head | null = null;
  #kept: Kept<Entry> | null = null;

  constructor(records: RecordStore, kind: EntryKind<string, Entry>, name: string) {
    this.#records = records;
    this.#kind = kind;
    this.#prefix = `catalog/${name}/`;
  }

  /** What is kept, or null before the first catalog. Reads one record when nobody else has written since. */
  async load(): Promise<Kept<Entry> | null> {
    const head = await this.#records.get(`${this.#prefix}head`);
    if (head === null) this.forget();
    else if (this.#kept === null || head.revision !== this.#revisions.get("head")) await this.#read();
    return this.#kept;
  }

  /** Nothing in memory is trusted any more: the next `load` reads everything. */
  forget(): void {
    this.#head = null;
    this.#kept = null;
    this.#revisions.clear();
  }

  /** Keeps a catalog of which nothing is published. */
  async keepBaseline(snapshot: Snapshot<Entry>, version: string | null, bytes: number): Promise<void> {
    const buckets = bucketCountFor(bytes, 0);
    await this.#writeBuckets(snapshot, buckets);
    await this.#settle({ snapshot, version, pending: null }, buckets);
  }

  /** Writes down what will be published; from here on it will be, whatever happens. */
  async begin(run: Omit<Pending, "buckets">, bytes: number): Promise<Pending> {
    const pending = { ...run, buckets: bucketCountFor(bytes, this.#head?.buckets ?? 0) };
    const { announcements, after, ...rest } = pending;
    for (const [index, text] of splitIntoRecords(announcements).entries()) {
      await this.#put(`run-${run.run}/${padded(index)}`, text);
    }
    const present: Omit<Head, "pending"> = { buckets: this.#head?.buckets ?? 0, version: this.#head?.version ?? null };
    await this.#putHead({ ...present, pending: { ...rest, after: formatPosition(after) } });
    this.#kept = { snapshot: this.#kept?.snapshot ?? new Map(), version: present.version, pending };
    return pending;
  }

  /** Everything pending was published: the catalog is the new one, which it resolves with. */
  async finish({ announcements, buckets, version }: Pending): Promise<Snapshot<Entry>> {
    const snapshot = applyAnnouncements(this.#kept?.snapshot ?? new Map<string, Entry>(), announcements, this.#kind);
    const isSameLayout = buckets === this.#head?.buckets;
    const touched = isSameLayout ? new Set(announcements.map(({ subject }) => bucketOf(subject, buckets))) : undefined;
    await this.#writeBuckets(snapshot, buckets, touched);
    await this.#settle({ snapshot, version, pending: null }, buckets);
    return snapshot;
  }

  /** The same catalog has another version by now. */
  async keepVersion(version: string | null): Promise<void> {
    if (this.#head === null || this.#kept === null || this.#head.version === version) return;
    await this.#putHead({ ...this.#head, version });
    this.#kept = { ...this.#kept, version };
  }

  async #settle(kept: Kept<Entry>, buckets: number): Promise<void> {
    await this.#putHead({ buckets, version: kept.version, pending: null });
    this.#kept = kept;
    // What no head names any more: an older layout, the run that is done, a run that never came to its head.
    for (const key of this.#revisions.keys()) {
      if (key === "head" || key.startsWith(`b${buckets}/`)) continue;
      await this.#records.remove(`${this.#prefix}${key}`);
      this.#revisions.delete(key);
    }
  }

  async #writeBuckets(snapshot: Snapshot<Entry>, count: number, touched?: ReadonlySet<number>): Promise<void> {
    const contents = new Map<number, Entry[]>();
    for (let bucket = 0; bucket < count; bucket += 1) if (touched?.has(bucket) ?? true) contents.set(bucket, []);
    for (const [key, entry] of snapshot) contents.get(bucketOf(key, count))?.push(entry);
    for (const [bucket, entries] of contents) await this.#put(`b${count}/${padded(bucket)}`, JSON.stringify(entries));
  }

  async #read(): Promise<void> {
    this.forget();
    const texts = new Map<string, string>();
    for (const { key, value, revision } of await this.#records.list(this.#prefix)) {
      const name = key.slice(this.#prefix.length);
      texts.set(name, value);
      this.#revisions.set(name, revision);
    }
    try {
      // Written by this class alone, under a format of its own.
      const head = JSON.parse(texts.get("head") ?? "") as Head;
      const entries = listIn<Entry>(texts, `b${head.buckets}/`, head.buckets);
      const keyed = entries.map((entry): [string, Entry] => [this.#kind.keyOf(entry), entry]);
      this.#kept = { snapshot: new Map(keyed), version: head.version, pending: readPending(head, texts) };
      this.#head = head;
    } catch (error) {
      this.forget();
      const fix = `remove the records under \`${this.#prefix}\` to start over from a baseline`;
      throw new StarcastError(
        "store_corrupt",
        `Expected the records of a catalog under \`${this.#prefix}\`, got something else: ${fix}`,
        { cause: error },
      );
    }
  }

  async #putHead(head: Head): Promise<void> {
    await this.#put("head", JSON.stringify(head));
    this.#head = head;
  }

  async #put(name: string, value: string): Promise<void> {
    const ifRevision = this.#revisions.get(name) ?? 0;
    this.#revisions.set(name, await this.#records.put(`${this.#prefix}${name}`, value, { ifRevision }));
  }
}

function readPending(head: Head, texts: ReadonlyMap<string, string>): Pending | null {
  if (head.pending === null) return null;
  const after = parsePosition(head.pending.after);
  const announcements = listIn<Announcement>(texts, `run-${head.pending.run}/`);
  const { added, updated, deleted } = head.pending.counts;
  if (after === null || announcements.length !== added + updated + deleted) {
    throw new TypeError("the pending run is not complete");
  }
  return { ...head.pending, after, announcements };
}

function listIn<Item>(texts: ReadonlyMap<string, string>, prefix: string, records?: number): Item[] {
  const names = [...texts.keys()].filter((name) => name.startsWith(prefix)).sort();
  if (records !== undefined && names.length !== records) {
    throw new TypeError(`${records - names.length} records are missing`);
  }
  return names.flatMap((name) => parseFrozen(texts.get(name) ?? "") as Item[]);
}

// Names of equal length sort as their numbers do.
function padded(index: number): string {
  return String(index).padStart(6, "0");
}
