import { StarcastError } from "@starcast/core";

export type SqlValue = string | number | null;
export type Row = Readonly<Record<string, SqlValue>>;

export interface Statement {
  run(...values: readonly SqlValue[]): { readonly changes: number };
  get(...values: readonly SqlValue[]): Row | undefined;
  all(...values: readonly SqlValue[]): readonly Row[];
}

/** As much of a SQLite driver as is used: synchronous, one connection. */
export interface Driver {
  readonly name: "node:sqlite" | "libsql";
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

/** Opens a file with the runtime's own SQLite where it has one (Node >= 22.13), else with `libsql`. Throws `unsupported` without both. */
export async function openDriver(path: string): Promise<Driver> {
  const { name, open } = await findDriver();
  const database = open(path);
  return {
    name,
    exec: (sql) => void database.exec(sql),
    // The two have the same statements; numbers come as numbers, as offsets stay below 2^53.
    prepare: (sql) => database.prepare(sql) as Statement,
    close: () => void database.close(),
  };
}

interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): unknown;
  close(): unknown;
}

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
  if (builtIn !== null) return { name: "node:sqlite", open: (path) => new builtIn.DatabaseSync(path) };
  const libsql = await tryImport<{ readonly default: new (path: string) => Database }>("libsql");
  if (libsql !== null) return { name: "libsql", open: (path) => new libsql.default(path) };
  throw new StarcastError(
    "unsupported",
    "Expected `node:sqlite` (Node >= 22.13) or the package `libsql`, got neither: npm install libsql",
  );
}

async function tryImport<Module>(specifier: string): Promise<Module | null> {
  try {
    return (await import(specifier)) as Module;
  } catch {
    // Not there: the next one may be.
    return null;
  }
}
