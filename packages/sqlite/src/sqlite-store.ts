import { makeEpoch, type Store } from "@starcast/core";
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { openDriver, type Driver } from "./driver.ts";
import { mayHaveLostTail, newEpoch, readBootId, readSidecar, writeSidecar } from "./epoch.ts";
import { GroupCommit } from "./group-commit.ts";
import { Meta } from "./meta.ts";
import { resolveSqliteOptions, type ResolvedSqliteOptions, type SqliteOptions } from "./options.ts";
import { migrate } from "./schema.ts";
import { SqliteCheckpoints } from "./sqlite-checkpoints.ts";
import { SqliteDeliveries } from "./sqlite-deliveries.ts";
import { SqliteEventLog } from "./sqlite-event-log.ts";
import { SqliteRecords } from "./sqlite-records.ts";
import { toStoreError } from "./sql-error.ts";

/** The durable engine in one SQLite file: log, checkpoints, deliveries and records; one writer process, any number of readers. */
export class SqliteStore implements Store {
  readonly log: SqliteEventLog;
  readonly checkpoints: SqliteCheckpoints;
  readonly deliveries: SqliteDeliveries;
  readonly records: SqliteRecords;
  readonly #path: string;
  readonly #driver: Driver;
  readonly #lock: Driver;
  readonly #meta: Meta;
  readonly #commit: GroupCommit;
  readonly #identity: string;
  #marked: number;
  #closing: Promise<void> | null = null;

  private constructor(path: string, driver: Driver, lock: Driver, options: ResolvedSqliteOptions) {
    const { surroundings, commitMs, maxPerEndpoint } = options;
    const { clock, scheduler } = surroundings;
    this.#path = path;
    this.#driver = driver;
    this.#lock = lock;
    this.#meta = new Meta(driver);
    const { epoch, identity } = this.#begin(options);
    this.#identity = identity;
    this.#commit = new GroupCommit({
      driver,
      scheduler,
      commitMs,
      beforeCommit: () => this.log.beforeCommit(),
      onCommitted: () => this.#committed(),
      onRolledBack: () => this.log.rolledBack(),
    });
    const shared = { driver, meta: this.#meta, commit: this.#commit, clock };
    this.log = new SqliteEventLog({ ...shared, epoch, options });
    this.checkpoints = new SqliteCheckpoints(shared);
    this.deliveries = new SqliteDeliveries({ ...shared, checkpoints: this.checkpoints, maxPerEndpoint });
    this.records = new SqliteRecords(shared);
    this.#marked = this.log.head;
    this.#mark();
  }

  /**
   * Opens or makes the file. Rejects with `store_locked` (another process writes it), `store_corrupt`, `store_too_new`,
   * `unsupported` (no SQLite), `invalid_option`, `store_failed`.
   */
  static async open(path: string, options: SqliteOptions = {}): Promise<SqliteStore> {
    const resolved = resolveSqliteOptions(options);
    const opened: Driver[] = [];
    try {
      // A file of its own holds the lock: the system gives it back however the process ends, and readers do not meet it.
      const lock = await openDriver(`${path}-writer`);
      opened.push(lock);
      lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
      const driver = await openDriver(path);
      opened.push(driver);
      driver.exec(
        `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${resolved.durability === "disk" ? "FULL" : "NORMAL"}; PRAGMA busy_timeout = 1000`,
      );
      migrate(driver);
      return new SqliteStore(path, driver, lock, resolved);
    } catch (error) {
      for (const driver of opened) driver.close();
      throw toStoreError(error);
    }
  }

  /** Puts a backup in the place of a store that is closed; it begins a new epoch, as what came after the backup is lost. */
  static restore(backup: string, path: string): void {
    for (const suffix of ["-wal", "-shm", "-head"]) if (existsSync(path + suffix)) rmSync(path + suffix);
    copyFileSync(backup, path);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Decides which epoch this life of the file has, and marks it as open. */
  #begin(options: ResolvedSqliteOptions): { readonly epoch: string; readonly identity: string } {
    const { random } = options.surroundings;
    const meta = this.#meta;
    const known = { epoch: meta.text("epoch"), identity: meta.text("identity") };
    const currentBootId = readBootId();
    const isLost = mayHaveLostTail({
      ...known,
      head: meta.number("head"),
      isCleanlyClosed: meta.text("clean") === "1",
      bootId: meta.text("boot"),
      currentBootId,
      isDurable: options.durability === "disk",
      sidecar: readSidecar(this.#sidecar),
    });
    const epoch = known.epoch === null || isLost ? newEpoch(random) : known.epoch;
    const identity = known.identity === null || isLost ? makeEpoch(random) + makeEpoch(random) : known.identity;
    this.#driver.exec("BEGIN IMMEDIATE");
    meta.put("epoch", epoch);
    meta.put("identity", identity);
    meta.put("clean", "0");
    meta.put("boot", currentBootId);
    this.#driver.exec("COMMIT");
    return { epoch, identity };
  }

  get #sidecar(): string {
    return `${this.#path}-head`;
  }

  #committed(): void {
    this.log.afterCommit();
    if (this.log.head - this.#marked >= markEvery) this.#mark();
  }

  #mark(): void {
    this.#marked = this.log.head;
    writeSidecar(this.#sidecar, { identity: this.#identity, head: this.log.head });
  }

  async #close(): Promise<void> {
    await this.log.close();
    this.#commit.close();
    this.#meta.put("clean", "1");
    this.#mark();
    this.#driver.close();
    this.#lock.close();
  }
}

/** The high-water mark beside the file is at most so many events behind it. */
const markEvery = 256;
