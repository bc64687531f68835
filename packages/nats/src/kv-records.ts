import { StarcastError, checkRecordKey, isStarcastError, type RecordStore, type StoredRecord } from "@starcast/core";
import type { Bucket } from "./bucket.ts";
import { fromKey, toKey } from "./key-text.ts";

/** Records in a NATS key-value bucket: its revisions are theirs. A value has to fit into one message. */
export class KvRecords implements RecordStore {
  readonly #bucket: Bucket;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  async get(key: string): Promise<StoredRecord | null> {
    checkRecordKey(key);
    const entry = await this.#bucket.get(toKey(key));
    return entry === null || entry.value === null ? null : { key, value: entry.value, revision: entry.revision };
  }

  async put(key: string, value: string, options?: { readonly ifRevision?: number | undefined }): Promise<number> {
    checkRecordKey(key);
    const wanted = options?.ifRevision;
    try {
      return await this.#bucket.put(toKey(key), value, wanted);
    } catch (error) {
      if (!isStarcastError(error, "stale_claim")) throw error;
      throw new StarcastError("stale_claim", `Expected record \`${key}\` at revision ${wanted}, got another`);
    }
  }

  async remove(key: string): Promise<boolean> {
    checkRecordKey(key);
    for (;;) {
      const entry = await this.#bucket.get(toKey(key));
      if (entry === null || entry.value === null) return false;
      try {
        await this.#bucket.remove(toKey(key), entry.revision);
        return true;
      } catch (error) {
        // Written meanwhile: that value is removed instead.
        if (!isStarcastError(error, "stale_claim")) throw error;
      }
    }
  }

  async list(prefix: string): Promise<readonly StoredRecord[]> {
    const records: StoredRecord[] = [];
    for (const { key, value, revision } of await this.#bucket.entries()) {
      const name = fromKey(key);
      if (value !== null && name.startsWith(prefix)) records.push({ key: name, value, revision });
    }
    return records.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }

  revision(): Promise<number> {
    return this.#bucket.revision();
  }
}
