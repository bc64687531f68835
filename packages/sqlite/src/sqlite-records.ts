import { StarcastError, checkRecordKey, type RecordStore, type StoredRecord } from "@starcast/core";
import { checksum, expectChecksum } from "./checksum.ts";
import { numberColumn, textColumn, textOf } from "./columns.ts";
import { fromColumn, toColumn } from "./exact-text.ts";
import type { Driver, Row, Statement } from "./driver.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Meta } from "./meta.ts";

/** Small values in a table. */
export class SqliteRecords implements RecordStore {
  readonly #commit: GroupCommit;
  readonly #meta: Meta;
  readonly #statements: Readonly<Record<"get" | "put" | "remove" | "list", Statement>>;

  constructor(options: { readonly driver: Driver; readonly meta: Meta; readonly commit: GroupCommit }) {
    const { driver } = options;
    this.#commit = options.commit;
    this.#meta = options.meta;
    this.#statements = {
      get: driver.prepare(`SELECT ${columns} FROM records WHERE key = ?`),
      put: driver.prepare(
        "INSERT INTO records (key, value, revision, crc) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, revision = excluded.revision, crc = excluded.crc",
      ),
      remove: driver.prepare("DELETE FROM records WHERE key = ?"),
      list: driver.prepare(`SELECT ${columns} FROM records WHERE substr(key, 1, length(?1)) = ?1 ORDER BY records.key`),
    };
  }

  async get(key: string): Promise<StoredRecord | null> {
    checkRecordKey(key);
    return recordOf(this.#statements.get.get(key), key);
  }

  async put(key: string, value: string, options?: { readonly ifRevision?: number | undefined }): Promise<number> {
    checkRecordKey(key);
    return this.#commit.write(() => {
      const known = recordOf(this.#statements.get.get(key), key)?.revision ?? 0;
      const wanted = options?.ifRevision;
      if (wanted !== undefined && wanted !== known) {
        throw new StarcastError(
          "stale_claim",
          `Expected record \`${key}\` at revision ${wanted}, got ${known === 0 ? "none" : known}`,
        );
      }
      const revision = this.#meta.number("revision") + 1;
      this.#meta.put("revision", revision);
      const column = toColumn(value);
      this.#statements.put.run(key, column, revision, checksum([key, revision], column));
      return revision;
    });
  }

  async remove(key: string): Promise<boolean> {
    checkRecordKey(key);
    return this.#commit.write(() => this.#statements.remove.run(key).changes > 0);
  }

  async list(prefix: string): Promise<readonly StoredRecord[]> {
    return this.#statements.list.all(prefix).flatMap((row) => recordOf(row) ?? []);
  }
}

const columns = [textColumn("key"), textColumn("value"), numberColumn("revision"), numberColumn("crc")].join(", ");

// Checked against the key that was asked for: a damaged index leads to an intact row of another.
function recordOf(row: Row | undefined, asked?: string): StoredRecord | null {
  if (row === undefined) return null;
  const key = asked ?? textOf(row["key"]);
  const column = textOf(row["value"]);
  const revision = Number(row["revision"]);
  expectChecksum(`record \`${key}\``, checksum([key, revision], column), row["crc"]);
  return Object.freeze({ key, value: fromColumn(column), revision });
}
