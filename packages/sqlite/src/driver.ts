import { StarcastError } from "@starcast/core";
import { toStoreError } from "./sql-error.ts";

/** Texts go in; what comes out is numbers and bytes (see `textColumn`). */
export type SqlValue = string | number | null | Uint8Array | ArrayBuffer;
export type Row = Readonly<Record<string, SqlValue>>;

/** What a statement did; `lastInsertRowid` says something only after an insertion that changed something. */
export interface Ran {
  readonly changes: number;
  readonly lastInsertRowid: number;
}

/** Every call throws typed errors only: of SQLite's own, or `store_closed`. */
export interface Statement {
  run(...values: readonly SqlValue[]): Ran;
  /** The same, of many values. */
  runList(values: readonly SqlValue[]): Ran;
  get(...values: readonly SqlValue[]): Row | undefined;
  all(...values: readonly SqlValue[]): readonly Row[];
}

/** As much of a SQLite driver as is used: synchronous, one connection. */
export interface Driver {
  readonly name: "node:sqlite" | "libsql";
  exec(sql: string): void;
  prepare(sql: string): Statement;
  /** Idempotent; later calls throw `store_closed`, those of statements too. */
  close(): void;
}

/** Opens a file with the runtime's own SQLite where it has one (Node >= 22.13), else with `libsql`. Throws `unsupported` without both. */
export async function openDriver(path: string): Promise<Driver> {
  const { name, open } = await findDriver();
  try {
    return new GuardedDriver(name, open(path));
  } catch (error) {
    throw toStoreError(error);
  }
}

class GuardedDriver implements Driver {
  readonly name: Driver["name"];
  readonly #database: Database;
  #isClosed = false;

  constructor(name: Driver["name"], database: Database) {
    this.name = name;
    this.#database = database;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  exec(sql: string): void {
    if (this.#isClosed) throw closed();
    try {
      this.#database.exec(sql);
    } catch (error) {
      throw toStoreError(error);
    }
  }

  prepare(sql: string): Statement {
    if (this.#isClosed) throw closed();
    try {
      return new GuardedStatement(this, this.#database.prepare(sql), this.name === "libsql");
    } catch (error) {
      throw toStoreError(error);
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.#database.close();
    } catch (error) {
      throw toStoreError(error);
    }
  }
}

class GuardedStatement implements Statement {
  readonly #driver: GuardedDriver;
  readonly #statement: NativeStatement;
  /** Values as one list, which `libsql` takes as it is; from several it would make one first. */
  readonly #takesList: boolean;

  constructor(driver: GuardedDriver, statement: NativeStatement, takesList: boolean) {
    this.#driver = driver;
    this.#statement = statement;
    this.#takesList = takesList;
  }

  run(...values: readonly SqlValue[]): Ran {
    return this.runList(values);
  }

  runList(values: readonly SqlValue[]): Ran {
    this.#checkOpen();
    try {
      return this.#takesList ? this.#statement.run(values) : this.#statement.run(...values);
    } catch (error) {
      throw toStoreError(error);
    }
  }

  get(...values: readonly SqlValue[]): Row | undefined {
    this.#checkOpen();
    try {
      return this.#takesList ? this.#statement.get(values) : this.#statement.get(...values);
    } catch (error) {
      throw toStoreError(error);
    }
  }

  all(...values: readonly SqlValue[]): readonly Row[] {
    this.#checkOpen();
    try {
      return this.#takesList ? this.#statement.all(values) : this.#statement.all(...values);
    } catch (error) {
      throw toStoreError(error);
    }
  }

  // A statement of `libsql` goes on writing after its connection was closed.
  #checkOpen(): void {
    if (this.#driver.isClosed) throw closed();
  }
}

function closed(): StarcastError {
  return new StarcastError("store_closed", "Expected an open store, got one that was closed");
}

interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): NativeStatement;
  close(): unknown;
}

/** The two have the same statements; numbers come as numbers, as all that is stored stays below 2^53. */
interface NativeStatement {
  run(...values: readonly NativeValue[]): Ran;
  get(...values: readonly NativeValue[]): Row | undefined;
  all(...values: readonly NativeValue[]): readonly Row[];
}

type NativeValue = SqlValue | readonly SqlValue[];

interface Found {
  readonly name: Driver["name"];
  readonly open: (path: string) => Database;
}

let found: Promise<Found> | null = null;

function findDriver(): Promise<Found> {
  found ??= find();
  return found;
}

async function find(): Promise<Found> {
  const builtIn = await tryImport<{ readonly DatabaseSync: new (path: string) => Database }>("node:sqlite");
  if ("module" in builtIn) return { name: "node:sqlite", open: (path) => new builtIn.module.DatabaseSync(path) };
  const libsql = await tryImport<{ readonly default: new (path: string) => Database }>("libsql");
  if ("module" in libsql) return { name: "libsql", open: (path) => new libsql.module.default(path) };
  throw new StarcastError(
    "unsupported",
    "Expected `node:sqlite` (Node >= 22.13) or the package `libsql`, got neither: npm install libsql",
    { cause: libsql.error },
  );
}

async function tryImport<Module>(
  specifier: string,
): Promise<{ readonly module: Module } | { readonly error: unknown }> {
  try {
    return { module: (await import(specifier)) as Module };
  } catch (error) {
    return { error };
  }
}
