import { InvalidOptionError, StarcastError, describe } from "../errors.ts";
import { utf8Length } from "../event/snapshot.ts";
import type { RecordStore, StoredRecord } from "./record-store.ts";

export interface MemoryRecordsOptions {
  /** Keys and values together; a catalog of thousands of models takes a few MiB. @default 67_108_864 */
  readonly maxBytes?: number | undefined;
}

/** Records in memory: they last as long as the process, as the memory log does. */
export class MemoryRecords implements RecordStore {
  readonly #maxBytes: number;
  readonly #records = new Map<string, StoredRecord>();
  #bytes = 0;
  // One count for all keys: so it grows for each key, also over a removal.
  #revision = 0;

  constructor(options: MemoryRecordsOptions = {}) {
    const maxBytes = options.maxBytes ?? 67_108_864;
    if (!(maxBytes >= 1))
      throw new InvalidOptionError({ option: "maxBytes", expected: "a number of at least 1", received: maxBytes });
    this.#maxBytes = maxBytes;
  }

  async get(key: string): Promise<StoredRecord | null> {
    checkRecordKey(key);
    return this.#records.get(key) ?? null;
  }

  async put(key: string, value: string, options?: { readonly ifRevision?: number | undefined }): Promise<number> {
    checkRecordKey(key);
    const known = this.#records.get(key);
    const wanted = options?.ifRevision;
    if (wanted !== undefined && wanted !== (known?.revision ?? 0)) {
      throw new StarcastError(
        "stale_claim",
        `Expected record \`${key}\` at revision ${wanted}, got ${known?.revision ?? "none"}`,
      );
    }
    const bytes = this.#bytes - weight(known) + key.length + utf8Length(value);
    if (bytes > this.#maxBytes) {
      throw new StarcastError(
        "store_full",
        `Expected records of at most ${this.#maxBytes} bytes in all (maxBytes), got ${bytes}`,
      );
    }
    this.#bytes = bytes;
    this.#revision += 1;
    this.#records.set(key, Object.freeze({ key, value, revision: this.#revision }));
    return this.#revision;
  }

  async remove(key: string): Promise<boolean> {
    checkRecordKey(key);
    this.#bytes -= weight(this.#records.get(key));
    return this.#records.delete(key);
  }

  async list(prefix: string): Promise<readonly StoredRecord[]> {
    return [...this.#records.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1));
  }
}

/** Throws `invalid_option` unless it is 1 to 256 of [A-Za-z0-9/_.-]: safe in every engine's naming. */
export function checkRecordKey(key: unknown): asserts key is string {
  if (typeof key === "string" && /^[A-Za-z0-9/_.-]{1,256}$/.test(key)) return;
  throw new StarcastError(
    "invalid_option",
    `Expected a record key of 1 to 256 of A-Z, a-z, 0-9, /, _, . and -, got ${describe(key)}`,
  );
}

function weight(record: StoredRecord | undefined): number {
  return record === undefined ? 0 : record.key.length + utf8Length(record.value);
}
