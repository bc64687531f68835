import { StarcastError, makeEpoch, type Store } from "@starcast/core";
import { openDriver, type Driver } from "./driver.ts";
import { mayHaveLostTail } from "./epoch.ts";
import { EventCopies } from "./event-copies.ts";
import { eventsPerLook } from "./event-statements.ts";
import { GroupCommit } from "./group-commit.ts";
import { Meta } from "./meta.ts";
import { resolveSqliteOptions, type ResolvedSqliteOptions, type SqliteOptions } from "./options.ts";
import { migrate } from "./schema.ts";
import { SidecarFile, readSidecar } from "./sidecar.ts";
import { SqliteCheckpoints } from "./sqlite-checkpoints.ts";
import { SqliteDeliveries } from "./sqlite-deliveries.ts";
import { SqliteEventLog, parseExtent } from "./sqlite-event-log.ts";
import { SqliteRecords } from "./sqlite-records.ts";
import { SqliteSeenIds } from "./sqlite-seen-ids.ts";
import { toStoreError } from "./sql-error.ts";
import { lockWriter, resolvePath, restoreFile, sidecarOf } from "./store-files.ts";

interface Connections {
  readonly driver: Driver;
  /**
   * For pages of events: SQLite gives what it allocates per row from a small store of the connection, that the prepared
   * statements of the other one use up; rows cost 2.4 times as much there.
   */
  readonly reader: Driver;
  readonly lock: Driver;
}

/** The durable engine in one SQLite file: log, checkpoints, deliveries and records; one writer process, any number of readers. */
export class SqliteStore implements Store {
  readonly log: SqliteEventLog;
  readonly checkpoints: SqliteCheckpoints;
  readonly deliveries: SqliteDeliveries;
  readonly records: SqliteRecords;
  /** For a `WebhookVerifier`: what it has handled, over restarts. */
  readonly seenIds: SqliteSeenIds;
  readonly #driver: Driver;
  readonly #reader: Driver;
  readonly #lock: Driver;
  readonly #meta: Meta;
  readonly #commit: GroupCommit;
  readonly #copies: EventCopies;
  readonly #sidecar: SidecarFile;
  #marked: number;
  #closing: Promise<void> | null = null;

  private constructor(path: string, { driver, reader, lock }: Connections, options: ResolvedSqliteOptions) {
    const { surroundings, commitMs, maxCheckpoints } = options;
    const { clock, scheduler } = surroundings;
    const told = () => [this.log, this.deliveries.counts, this.deliveries.finished, this.#copies];
    this.#driver = driver;
    this.#reader = reader;
    this.#lock = lock;
    this.#meta = new Meta(driver);
    const { epoch, identity } = begin(path, driver, this.#meta, options);
    this.#commit = new GroupCommit({
      driver,
      scheduler,
      commitMs,
      beforeWork: () => told().forEach((each) => each.beforeWork()),
      onUndone: () => told().forEach((each) => each.onUndone()),
      afterWork: () => this.log.afterWork(),
      beforeCommit: () => {
        // The log last: what it lets go of is copied for the deliveries that are left.
        this.deliveries.counts.beforeCommit();
        this.deliveries.finished.beforeCommit();
        this.log.beforeCommit();
      },
      onCommitted: () => {
        this.deliveries.counts.afterCommit();
        this.deliveries.finished.afterCommit();
        this.#copies.afterCommit();
        this.#mark(this.log.afterCommit());
        this.log.tell();
      },
      onRolledBack: () => told().forEach((each) => each.rolledBack()),
    });
    const shared = { driver, meta: this.#meta, commit: this.#commit, clock };
    this.log = new SqliteEventLog({
      ...shared,
      reader,
      epoch,
      options,
      beforeTrim: (after, through) => this.#copies.beforeTrim(after, through),
    });
    this.#copies = new EventCopies({ driver, epoch, log: this.log });
    this.checkpoints = new SqliteCheckpoints({ ...shared, maxCheckpoints });
    this.deliveries = new SqliteDeliveries({
      driver,
      epoch,
      commit: this.#commit,
      checkpoints: this.checkpoints,
      copies: this.#copies,
      options,
    });
    this.records = new SqliteRecords(shared);
    this.seenIds = new SqliteSeenIds({ ...shared, options });
    this.#marked = this.log.head;
    this.#sidecar = new SidecarFile(sidecarOf(path), { identity, head: this.log.head });
    this.log.start();
  }

  /**
   * Opens or makes the file. Rejects with `store_locked` (another store writes it), `store_corrupt`, `store_too_new`,
   * `unsupported` (no SQLite, or a file system without WAL), `invalid_option`, `store_full`, `store_failed`.
   */
  static async open(path: string, options: SqliteOptions = {}): Promise<SqliteStore> {
    const resolved = resolveSqliteOptions(options);
    const file = resolvePath(path);
    const opened: Driver[] = [];
    const add = (driver: Driver): Driver => {
      opened.push(driver);
      return driver;
    };
    try {
      const lock = add(await lockWriter(file));
      const driver = add(await openDriver(file));
      driver.exec(careful);
      migrate(driver);
      useWal(driver);
      const reader = add(await openDriver(file));
      reader.exec(`${careful}; PRAGMA query_only = ON`);
      return new SqliteStore(file, { driver, reader, lock }, resolved);
    } catch (error) {
      for (const driver of opened.toReversed()) driver.close();
      throw toStoreError(error);
    }
  }

  /**
   * Puts a backup in the place of a store that is closed; it begins a new epoch, as what came after the backup is lost.
   * Rejects with `store_locked` while the store is open, and with `store_corrupt` for what is no backup; nothing changes then.
   */
  static async restore(backup: string, path: string): Promise<void> {
    await restoreFile(backup, path);
  }

  /** Commits what waits, and lets go of the file. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #mark(head: number): void {
    if (head === this.#marked) return;
    this.#marked = head;
    this.#sidecar.mark(head);
  }

  async #close(): Promise<void> {
    await this.log.close();
    await this.#commit.close();
    try {
      this.#reader.close();
      this.#driver.exec("PRAGMA synchronous = FULL");
      this.#meta.put("clean", "1");
      // Into the main file what readers allow: it is a copy by itself, and a WAL left behind meets no other file put there.
      this.#driver.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // A full disk, say. What was acknowledged is in the WAL; at worst the next life begins as after a kill.
    } finally {
      this.#sidecar.close();
      this.#driver.close();
      this.#lock.close();
    }
  }
}

function useWal(driver: Driver): void {
  const mode = driver.prepare("PRAGMA journal_mode = WAL").get()?.["journal_mode"] as unknown;
  if (mode !== "wal") {
    throw new StarcastError(
      "unsupported",
      `Expected a file system on which SQLite can keep a WAL, got journal mode ${String(mode)}: use a local disk`,
    );
  }
  // A reader that stays long lets the WAL grow; it is cut to this when it is used again.
  driver.exec(`PRAGMA wal_autocheckpoint = ${walPages}; PRAGMA journal_size_limit = ${maxIdleWalBytes}`);
}

/** Decides which epoch this life of the file has, and marks it as open: on disk before anything is acknowledged. */
function begin(
  path: string,
  driver: Driver,
  meta: Meta,
  { durability, surroundings, bootId }: ResolvedSqliteOptions,
): { readonly epoch: string; readonly identity: string } {
  const { random } = surroundings;
  const known = { epoch: meta.text("epoch"), identity: meta.text("identity") };
  const extent = parseExtent(meta.text("extent"));
  const isLost = mayHaveLostTail({
    ...known,
    head: extent.head,
    isCleanlyClosed: meta.text("clean") === "1",
    wasDurable: meta.text("durability") === "disk",
    bootId: meta.text("boot"),
    currentBootId: bootId,
    sidecar: readSidecar(sidecarOf(path)),
  });
  const epoch = known.epoch === null || isLost ? makeEpoch(random) : known.epoch;
  const identity = known.identity === null || isLost ? makeEpoch(random) + makeEpoch(random) : known.identity;
  driver.exec("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; BEGIN IMMEDIATE");
  // Deliveries go by the ids of their events: those of the old epoch are no longer in the log.
  if (known.epoch !== null && epoch !== known.epoch) copyAll(driver, known.epoch, extent.largest);
  meta.put("epoch", epoch);
  meta.put("identity", identity);
  meta.put("clean", "0");
  meta.put("boot", bootId);
  meta.put("durability", durability);
  endHolds(driver);
  driver.exec("COMMIT");
  if (durability === "process") driver.exec("PRAGMA synchronous = NORMAL; PRAGMA fullfsync = OFF");
  return { epoch, identity };
}

function copyAll(driver: Driver, epoch: string, largestBytes: number): void {
  const log = { trimmedThrough: 0, head: Number.MAX_SAFE_INTEGER, eventsPerLook: eventsPerLook(largestBytes) };
  new EventCopies({ driver, epoch, log }).beforeTrim(log.trimmedThrough, log.head);
}

/** Whoever held leases had this file to itself, and is gone: nobody waits until those of a killed process run out. */
function endHolds(driver: Driver): void {
  driver.exec("UPDATE checkpoints SET holder = NULL WHERE holder IS NOT NULL");
}

const careful = "PRAGMA busy_timeout = 1000; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF";

/**
 * Pages in the WAL before they go into the main file, 14 MiB of them: four times as seldom as by default, and the pages
 * that every commit writes again go there once. Halves the time spent in commits.
 */
const walPages = 3_500;
/** More than those. */
const maxIdleWalBytes = 16_777_216;
