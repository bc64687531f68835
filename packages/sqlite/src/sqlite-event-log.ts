import {
  IsoTime,
  StarcastError,
  Watchers,
  checkListFits,
  type Appended,
  type Durability,
  type EventDraft,
  type EventLog,
  type ReadLimit,
  type StoredEvent,
} from "@starcast/core";
import { CommittedValue } from "./committed-value.ts";
import { DedupeKeys } from "./dedupe-keys.ts";
import type { Driver, Statement } from "./driver.ts";
import {
  eventsPerLook,
  insertEvents,
  prepareEvents,
  readEvents,
  readEventsSql,
  type EventStatements,
} from "./event-statements.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Meta } from "./meta.ts";
import type { ResolvedSqliteOptions } from "./options.ts";
import { Retention, type Extent } from "./retention.ts";

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
  readonly #statements: EventStatements;
  readonly #read: Statement;
  readonly #keys: DedupeKeys;
  readonly #retention: Retention;
  readonly #watchers = new Watchers();
  /** What watchers were told of; behind the file while they are being told. */
  #head: number;
  readonly #extent: CommittedValue<Extent>;
  /** Events that have a place, and are written with the others of this transaction. */
  #placed: StoredEvent[] = [];
  /** Those of this transaction that are written; told when it is committed. */
  #written: readonly StoredEvent[] = [];
  #newestTime = "";
  #isClosed = false;

  constructor(options: {
    readonly epoch: string;
    readonly options: ResolvedSqliteOptions;
    readonly driver: Driver;
    readonly reader: Driver;
    readonly meta: Meta;
    readonly commit: GroupCommit;
    readonly beforeTrim: (after: number, through: number) => void;
  }) {
    const { durability, retention, surroundings } = options.options;
    this.epoch = options.epoch;
    this.durability = durability;
    this.retention = { maxEvents: retention.maxEvents, maxBytes: retention.maxBytes };
    this.#options = options.options;
    this.#meta = options.meta;
    this.#commit = options.commit;
    this.#time = new IsoTime(surroundings.clock);
    this.#statements = prepareEvents(options.driver);
    this.#read = options.reader.prepare(readEventsSql);
    this.#keys = new DedupeKeys(this.#statements, options.options);
    this.#retention = new Retention({
      options: options.options,
      statements: this.#statements,
      wake: () => this.#commit.write(() => undefined),
      beforeTrim: options.beforeTrim,
    });
    this.#extent = new CommittedValue(this.#readExtent());
    this.#head = this.#extent.now.head;
    this.#newestTime = this.#readNewestTime();
  }

  /** Retention begins: when the store is complete, and cannot fail to open any more. */
  start(): void {
    this.#retention.plan(this.#extent.now);
  }

  get head(): number {
    return this.#head;
  }

  get trimmedThrough(): number {
    return this.#extent.inFile.trimmed;
  }

  /** Of this log's events one look may give so many. */
  get eventsPerLook(): number {
    return eventsPerLook(this.#extent.now.largest);
  }

  append(drafts: readonly EventDraft[]): Promise<readonly Appended[]> {
    if (this.#isClosed) return Promise.reject(closed());
    return this.#commit.write(() => this.#place(drafts), undefined, drafts.length);
  }

  async read(after: number, limit: ReadLimit): Promise<readonly StoredEvent[]> {
    if (this.#isClosed) throw closed();
    const events: StoredEvent[] = [];
    let bytes = 0;
    const atOnce = this.#eventsWithin(limit.maxBytes);
    for (let last = after; events.length < limit.maxEvents;) {
      const step = Math.min(limit.maxEvents - events.length, atOnce);
      const found = readEvents(this.#read, { after: last, through: this.#head, limit: step });
      for (const event of found) {
        if (event === null) {
          if (events.length === 0) throw damaged(last);
          return events;
        }
        bytes += event.sizeBytes;
        if (bytes > limit.maxBytes && events.length > 0) return events;
        events.push(event);
        last = event.offset;
      }
      if (found.length < step) break;
    }
    return events;
  }

  watch(onCommitted: (events: readonly StoredEvent[]) => void): () => void {
    return this.#watchers.add(this.#head, onCommitted);
  }

  refresh(): Promise<{ readonly trimmedThrough: number; readonly head: number }> {
    return Promise.resolve({ trimmedThrough: this.trimmedThrough, head: this.#head });
  }

  /** Brings retention up to date, step by step. */
  async trim(): Promise<void> {
    let before = -1;
    while (this.trimmedThrough > before) {
      before = this.trimmedThrough;
      await this.#commit.write(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retention.close();
    await this.#commit.settle();
    this.#watchers.clear();
  }

  /** Writes what was given a place: events of many publications, as few calls as there can be. */
  afterWork(): void {
    if (this.#placed.length === 0) return;
    insertEvents(this.#statements, this.#placed);
    this.#written = this.#written.length === 0 ? this.#placed : this.#written.concat(this.#placed);
    this.#placed = [];
  }

  beforeWork(): void {
    this.#extent.beforeWork();
    this.#keys.count.beforeWork();
  }

  onUndone(): void {
    this.#placed = [];
    this.#extent.onUndone();
    this.#keys.count.onUndone();
  }

  /** Part of every transaction: retention in bounded steps, and what the file says of itself. */
  beforeCommit(): void {
    const { surroundings, pruneRows } = this.#options;
    const { inFile, now } = this.#extent;
    const brought = now.head - inFile.head;
    this.#keys.forget(surroundings.clock.now(), pruneRows + brought);
    const { trimmed, bytes } = this.#retention.prune(now);
    this.#extent.now = { ...now, trimmed, bytes };
    if (brought === 0 && trimmed === inFile.trimmed) return;
    this.#meta.put("extent", `${now.head} ${trimmed} ${bytes} ${now.largest}`);
  }

  /** The transaction is in the file; gives the newest offset there. */
  afterCommit(): number {
    const { head } = this.#extent.now;
    this.#extent.now = { ...this.#extent.now, committed: head };
    this.#extent.afterCommit();
    this.#keys.count.afterCommit();
    this.#retention.plan(this.#extent.now);
    return head;
  }

  /** Of the last commit; before those who published are. */
  tell(): void {
    const events = this.#written;
    const last = events.at(-1);
    if (last === undefined) return;
    this.#written = [];
    this.#head = last.offset;
    this.#watchers.tell(events);
  }

  rolledBack(): void {
    this.#placed = [];
    this.#written = [];
    this.#extent.rolledBack();
    this.#keys.count.rolledBack();
  }

  #place(drafts: readonly EventDraft[]): readonly Appended[] {
    checkListFits(drafts, this.retention);
    const { epoch } = this;
    const now = this.#options.surroundings.clock.now();
    const timestamp = this.#now();
    const extent = this.#extent.now;
    let { head, bytes, largest } = extent;
    const appended: Appended[] = [];
    for (const { dedupeKey, type, subject, json, sizeBytes } of drafts) {
      const first = dedupeKey === undefined ? null : this.#keys.find(dedupeKey, now);
      if (first !== null) {
        const position = { epoch, offset: first.offset };
        appended.push({ position, timestamp: first.timestamp, isDuplicate: true });
        continue;
      }
      head += 1;
      bytes += sizeBytes;
      if (sizeBytes > largest) largest = sizeBytes;
      const event = { offset: head, type, subject, timestamp, json, sizeBytes };
      if (dedupeKey !== undefined) this.#keys.remember(dedupeKey, event, now);
      this.#placed.push(event);
      appended.push({ position: { epoch, offset: head }, timestamp, isDuplicate: false });
    }
    this.#extent.now = { committed: extent.committed, head, trimmed: extent.trimmed, bytes, largest };
    return appended;
  }

  /** About as many as are wanted: large ones would be read in vain (measured: 19x for 200 KB). Never more than one look may give. */
  #eventsWithin(maxBytes: number): number {
    const { bytes, head, trimmed } = this.#extent.now;
    const average = bytes / Math.max(1, head - trimmed);
    return Math.min(this.eventsPerLook, Math.floor(maxBytes / average) + 1);
  }

  // The clock may have been set back between two lives of the file.
  #now(): string {
    const now = this.#time.now();
    if (now > this.#newestTime) this.#newestTime = now;
    return this.#newestTime;
  }

  /** Throws `store_corrupt` when what the file says of its events does not hold: ids could be used again. */
  #readExtent(): Extent {
    const { head, trimmed, bytes, largest } = parseExtent(this.#meta.text("extent"));
    const { first = null, last = null } = this.#statements.ends.get() ?? {};
    if (head > trimmed ? first === trimmed + 1 && last === head : first === null)
      return { committed: head, head, trimmed, bytes, largest };
    throw new StarcastError(
      "store_corrupt",
      `Expected events ${trimmed + 1} to ${head} in the SQLite file, got ${Number(first ?? 0)} to ${Number(last ?? 0)}: restore a backup with SqliteStore.restore`,
    );
  }

  // A damaged event is refused to those who read it; what is published after it needs only the clock.
  #readNewestTime(): string {
    const [newest] = readEvents(this.#read, { after: this.#head - 1, through: this.#head, limit: 1 });
    return newest?.timestamp ?? "";
  }
}

/** The value `extent` of a file. */
export function parseExtent(text: string | null): Omit<Extent, "committed"> {
  const [head = 0, trimmed = 0, bytes = 0, largest = 0] = (text ?? "").split(" ").map(Number);
  return { head, trimmed, bytes, largest };
}

function damaged(after: number): StarcastError {
  return new StarcastError(
    "store_corrupt",
    `Expected event ${after + 1} as it was written, got a damaged one: restore a backup with SqliteStore.restore`,
  );
}

function closed(): StarcastError {
  return new StarcastError("log_closed", "Expected an open log, got one that was closed");
}
