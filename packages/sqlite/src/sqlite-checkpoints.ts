import {
  StarcastError,
  checkCheckpointName,
  type CheckpointStore,
  type Clock,
  type Lease,
  type Position,
} from "@starcast/core";
import { CheckpointNames } from "./checkpoint-names.ts";
import { checksum, expectChecksum } from "./checksum.ts";
import type { Driver, Row, Statement } from "./driver.ts";
import { numberColumn, textColumn, textOf, textOrNull } from "./columns.ts";
import { fromColumn, toColumn } from "./exact-text.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Meta } from "./meta.ts";

/** Durable positions in a table; fenced by a revision that grows with every lease. */
export class SqliteCheckpoints implements CheckpointStore {
  readonly #clock: Clock;
  readonly #commit: GroupCommit;
  readonly #meta: Meta;
  readonly #names: CheckpointNames;
  readonly #statements: Readonly<Record<"get" | "put" | "extend" | "save" | "release" | "remove" | "list", Statement>>;

  constructor(options: {
    readonly driver: Driver;
    readonly meta: Meta;
    readonly commit: GroupCommit;
    readonly clock: Clock;
    readonly maxCheckpoints: number;
  }) {
    const { driver, meta } = options;
    this.#clock = options.clock;
    this.#commit = options.commit;
    this.#meta = meta;
    this.#statements = {
      get: driver.prepare(`SELECT ${columns} FROM checkpoints WHERE name = ?`),
      put: driver.prepare(
        "INSERT INTO checkpoints (name, holder, until) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until",
      ),
      extend: driver.prepare("UPDATE checkpoints SET until = ? WHERE name = ?"),
      save: driver.prepare("UPDATE checkpoints SET epoch = ?, offset = ?, crc = ? WHERE name = ?"),
      release: driver.prepare("UPDATE checkpoints SET holder = NULL WHERE name = ? AND holder = ?"),
      remove: driver.prepare("DELETE FROM checkpoints WHERE name = ?"),
      list: driver.prepare(`SELECT ${columns} FROM checkpoints ORDER BY checkpoints.name`),
    };
    const names = this.#statements.list.all().map((row) => textOf(row["name"]));
    this.#names = new CheckpointNames(meta, names, options.maxCheckpoints);
  }

  async acquire(name: string, ttlMs: number): Promise<Lease | null> {
    checkCheckpointName(name);
    return this.#commit.write(() => {
      const column = toColumn(name);
      const known = this.#statements.get.get(column);
      const now = this.#clock.now();
      if (known !== undefined && known["holder"] !== null && Number(known["until"]) > now) return null;
      if (known === undefined) this.#names.add(column);
      const revision = this.#meta.number("revision") + 1;
      this.#meta.put("revision", revision);
      this.#statements.put.run(column, revision, Math.ceil(now + ttlMs));
      return Object.freeze({ name, revision, position: positionOf(known, column) });
    });
  }

  renew(lease: Lease, ttlMs: number): Promise<void> {
    return this.#commit.write(() => {
      this.check(lease);
      this.#statements.extend.run(Math.ceil(this.#clock.now() + ttlMs), toColumn(lease.name));
    });
  }

  async load(name: string): Promise<Position | null> {
    const column = toColumn(name);
    return positionOf(this.#statements.get.get(column), column);
  }

  save(lease: Lease, position: Position): Promise<void> {
    return this.#commit.write(() => this.move(lease, position));
  }

  release(lease: Lease): Promise<void> {
    return this.#commit.write(() => void this.#statements.release.run(toColumn(lease.name), lease.revision));
  }

  remove(name: string): Promise<void> {
    return this.#commit.write(() => {
      const column = toColumn(name);
      if (this.#statements.remove.run(column).changes > 0) this.#names.remove(column);
    });
  }

  async list(): Promise<readonly { readonly name: string; readonly position: Position | null }[]> {
    return this.#statements.list.all().map((row) => ({
      name: fromColumn(textOf(row["name"])),
      position: positionOf(row),
    }));
  }

  /** Within a transaction: moves the position, or throws `lease_lost`. */
  move(lease: Lease, position: Position): void {
    this.check(lease);
    const { epoch, offset } = position;
    const name = toColumn(lease.name);
    this.#statements.save.run(epoch, offset, checksum([name, offset], epoch), name);
  }

  /** Within a transaction: throws `lease_lost` unless it is the latest. */
  check(lease: Lease): void {
    if (this.#statements.get.get(toColumn(lease.name))?.["holder"] === lease.revision) return;
    throw new StarcastError(
      "lease_lost",
      `Expected the latest lease of \`${lease.name}\`, got revision ${lease.revision}, which was given back or taken over`,
    );
  }
}

const columns = [
  textColumn("name"),
  textColumn("epoch"),
  numberColumn("offset"),
  numberColumn("holder"),
  numberColumn("until"),
  numberColumn("crc"),
].join(", ");

// Checked against the name that was asked for: a damaged index leads to an intact row of another.
function positionOf(row: Row | undefined, name?: string): Position | null {
  const epoch = textOrNull(row?.["epoch"]);
  if (row === undefined || epoch === null) return null;
  const offset = Number(row["offset"]);
  expectChecksum("a checkpoint", checksum([name ?? textOf(row["name"]), offset], epoch), row["crc"]);
  return Object.freeze({ epoch, offset });
}
