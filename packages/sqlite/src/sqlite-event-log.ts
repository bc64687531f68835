import {
  IsoTime,
  StarcastError,
  type Appended,
  type Durability,
  type EventDraft,
  type EventLog,
  type ReadLimit,
  type StoredEvent,
} from "@starcast/core";
import { crc32 } from "node:zlib";
import type { Driver, Row, Statement } from "./driver.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Meta } from "./meta.ts";
import type { ResolvedSqliteOptions } from "./options.ts";
import { toStoreError } from "./sql-error.ts";

/** The log in a table: offsets are row ids, an append is part of the next group commit. */
export class SqliteEventLog implements EventLog {
  readonly epoch: string;
  readonly durability: Durability;
  readonly isAtomic = true;
  readonly retention: ReadLimit;
  readonly #options: ResolvedSqliteOptions;
  readonly #meta: Meta;
  readonly #commit: GroupCommit;
  readonly #time: IsoTime;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #watchers = new Set<(events: readonly StoredEvent[]) => void>();
  #head: number;
  #trimmedThrough: number;
  /** Of the transaction being made: acknowledged, and moved to the fields above, by its commit. */
  #nextHead: number;
  #nextTrimmed: number;
  #bytes: number;
  #isClosed = false;

  constructor(options: {
    readonly epoch: string;
    readonly options: ResolvedSqliteOptions;
    readonly driver: Driver;
    readonly meta: Meta;
    readonly commit: GroupCommit;
  }) {
    const { durability, retention, surroundings } = options.options;
    this.epoch = options.epoch;
    this.durability = durability;
    this.retention = { maxEvents: retention.maxEvents, maxBytes: retention.maxBytes };
    this.#options = options.options;
    this.#meta = options.meta;
    this.#commit = options.commit;
    this.#time = new IsoTime(surroundings.clock);
    this.#statements = prepare(options.driver);
    this.#head = this.#meta.number("head");
    this.#trimmedThrough = this.#meta.number("trimmed");
    this.#nextHead = this.#head;
    this.#nextTrimmed = this.#trimmedThrough;
    this.#bytes = this.#meta.number("bytes");
  }

  get head(): number {
    return this.#head;
  }

  get trimmedThrough(): number {
    return this.#trimmedThrough;
  }

  append(drafts: readonly EventDraft[]): Promise<readonly Appended[]> {
    if (this.#isClosed) return Promise.reject(closed());
    const events: StoredEvent[] = [];
    return this.#commit.write(
      () => drafts.map((draft) => this.#insert(draft, events)),
      () => this.#committed(events),
    );
  }

  async read(after: number, limit: ReadLimit): Promise<readonly StoredEvent[]> {
    if (this.#isClosed) throw closed();
    const events: StoredEvent[] = [];
    let bytes = 0;
    try {
      const rows = this.#statements.read.all(after, this.#head, Math.min(limit.maxEvents, maxRowsPerRead));
      for (const row of rows) {
        const event = readRow(row);
        bytes += event.sizeBytes;
        if (bytes > limit.maxBytes && events.length > 0) break;
        events.push(event);
      }
    } catch (error) {
      throw toStoreError(error);
    }
    return events;
  }

  watch(onCommitted: (events: readonly StoredEvent[]) => void): () => void {
    const watcher = (events: readonly StoredEvent[]): void => onCommitted(events);
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  refresh(): Promise<{ readonly trimmedThrough: number; readonly head: number }> {
    return Promise.resolve({ trimmedThrough: this.#trimmedThrough, head: this.#head });
  }

  /** Brings retention up to date, step by step. */
  async trim(): Promise<void> {
    let before = -1;
    while (this.#trimmedThrough > before) {
      before = this.#trimmedThrough;
      await this.#commit.write(() => undefined);
    }
  }

  close(): Promise<void> {
    if (!this.#isClosed) this.#commit.flush();
    this.#isClosed = true;
    this.#watchers.clear();
    return Promise.resolve();
  }

  /** Part of every transaction: retention in bounded steps, and what the file says of itself. */
  beforeCommit(): void {
    const hadHead = this.#head;
    this.#prune();
    if (this.#nextHead === hadHead && this.#nextTrimmed === this.#trimmedThrough) return;
    this.#meta.put("head", this.#nextHead);
    this.#meta.put("trimmed", this.#nextTrimmed);
    this.#meta.put("bytes", this.#bytes);
  }

  /** The transaction is in the file. */
  afterCommit(): void {
    this.#head = this.#nextHead;
    this.#trimmedThrough = this.#nextTrimmed;
  }

  rolledBack(): void {
    this.#nextHead = this.#head;
    this.#nextTrimmed = this.#trimmedThrough;
    this.#bytes = this.#meta.number("bytes");
  }

  #insert(draft: EventDraft, events: StoredEvent[]): Appended {
    const { dedupeKey, type, subject, json, sizeBytes } = draft;
    const now = this.#options.surroundings.clock.now();
    if (dedupeKey !== undefined) {
      const first = this.#statements.findKey.get(dedupeKey, now);
      if (first !== undefined) {
        return {
          position: { epoch: this.epoch, offset: Number(first["offset"]) },
          timestamp: String(first["timestamp"]),
          isDuplicate: true,
        };
      }
    }
    const offset = this.#nextHead + 1;
    const timestamp = this.#time.now();
    this.#statements.insert.run(
      offset,
      type,
      subject ?? null,
      timestamp,
      sizeBytes,
      checksum(offset, type, subject, timestamp, json),
      json,
    );
    if (dedupeKey !== undefined)
      this.#statements.putKey.run(dedupeKey, offset, timestamp, now + this.#options.dedupeWindowMs);
    this.#nextHead = offset;
    this.#bytes += sizeBytes;
    events.push({ offset, type, subject, timestamp, json, sizeBytes });
    return { position: { epoch: this.epoch, offset }, timestamp, isDuplicate: false };
  }

  #committed(events: readonly StoredEvent[]): void {
    if (events.length > 0) for (const watcher of this.#watchers) watcher(events);
  }

  #prune(): void {
    const { retention, pruneRows, surroundings } = this.#options;
    const now = surroundings.clock.now();
    this.#statements.forgetKeys.run(now, pruneRows);
    const tooOld = retention.maxAgeMs === Infinity ? "" : new Date(now - retention.maxAgeMs).toISOString();
    const isOver = (): boolean =>
      this.#nextHead - this.#nextTrimmed > retention.maxEvents || this.#bytes > retention.maxBytes;
    if (!isOver() && tooOld === "") return;
    for (const row of this.#statements.oldest.all(pruneRows)) {
      // The newest event stays, whatever its size.
      if (Number(row["offset"]) >= this.#nextHead || !(isOver() || String(row["timestamp"]) < tooOld)) break;
      this.#nextTrimmed = Number(row["offset"]);
      this.#bytes -= Number(row["size"]);
    }
    this.#statements.deleteThrough.run(this.#nextTrimmed);
  }
}

/** Rows of one read; what is asked for beyond comes with the next. */
const maxRowsPerRead = 10_000;

function prepare(
  driver: Driver,
): Readonly<Record<"insert" | "read" | "oldest" | "deleteThrough" | "findKey" | "putKey" | "forgetKeys", Statement>> {
  return {
    insert: driver.prepare(
      "INSERT INTO events (offset, type, subject, timestamp, size, crc, json) VALUES (?, ?, ?, ?, ?, ?, ?)",
    ),
    read: driver.prepare("SELECT * FROM events WHERE offset > ? AND offset <= ? ORDER BY offset LIMIT ?"),
    oldest: driver.prepare("SELECT offset, size, timestamp FROM events ORDER BY offset LIMIT ?"),
    deleteThrough: driver.prepare("DELETE FROM events WHERE offset <= ?"),
    findKey: driver.prepare("SELECT offset, timestamp FROM dedupe WHERE key = ? AND until > ?"),
    putKey: driver.prepare("INSERT OR REPLACE INTO dedupe (key, offset, timestamp, until) VALUES (?, ?, ?, ?)"),
    forgetKeys: driver.prepare(
      "DELETE FROM dedupe WHERE key IN (SELECT key FROM dedupe WHERE until <= ? ORDER BY until LIMIT ?)",
    ),
  };
}

function readRow(row: Row): StoredEvent {
  const offset = Number(row["offset"]);
  const type = String(row["type"]);
  const subject = typeof row["subject"] === "string" ? row["subject"] : undefined;
  const timestamp = String(row["timestamp"]);
  const json = String(row["json"]);
  if (checksum(offset, type, subject, timestamp, json) !== Number(row["crc"])) {
    throw new StarcastError(
      "store_corrupt",
      `Expected event ${offset} as it was written, got a damaged one: restore a backup`,
    );
  }
  return { offset, type, subject, timestamp, json, sizeBytes: Number(row["size"]) };
}

// SQLite notices damaged pages of its structure, not a flipped bit in a text.
function checksum(offset: number, type: string, subject: string | undefined, timestamp: string, json: string): number {
  return crc32(json, crc32(`${offset} ${type} ${timestamp} ${subject ?? ""}`));
}

function closed(): StarcastError {
  return new StarcastError("log_closed", "Expected an open log, got one that was closed");
}
