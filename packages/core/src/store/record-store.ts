/** A small value kept by key, with the revision it was written at. */
export interface StoredRecord {
  readonly key: string;
  readonly value: string;
  /** Grows with every write of the key, also over a removal. */
  readonly revision: number;
}

/** Small key-value memory: webhook endpoints, the last catalog snapshot. Keys: 1 to 256 of [A-Za-z0-9/_.-]. */
export interface RecordStore {
  get(key: string): Promise<StoredRecord | null>;
  /**
   * MUST be durable as the log is when it resolves with the new revision. With `ifRevision` (0: only if absent) MUST
   * reject with `stale_claim` and write nothing when the record has another revision.
   */
  put(key: string, value: string, options?: { readonly ifRevision?: number | undefined }): Promise<number>;
  /** MUST be idempotent; true when there was one. */
  remove(key: string): Promise<boolean>;
  /** Every record whose key starts with `prefix`, ordered by key. */
  list(prefix: string): Promise<readonly StoredRecord[]>;
  /**
   * Only of engines that several processes share. MUST grow with every write and removal, by whomever, before that is
   * acknowledged: who finds the number of before may go on with the records of before.
   */
  revision?(): Promise<number>;
}
