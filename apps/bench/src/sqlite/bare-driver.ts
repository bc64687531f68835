// The driver by itself, doing the same inserts and reads: what an engine on it cannot be faster than.
export interface BareDatabase {
  exec(sql: string): void;
  prepare(sql: string): {
    run(...values: readonly (string | number | null)[]): unknown;
    all(...values: readonly (string | number | null)[]): readonly unknown[];
  };
  close(): void;
}

/** The one that `@starcast/sqlite` uses on this runtime. */
export async function openBare(path: string): Promise<{ readonly name: string; readonly database: BareDatabase }> {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) {
    const specifier = "node:sqlite";
    const { DatabaseSync } = (await import(specifier)) as { readonly DatabaseSync: new (file: string) => BareDatabase };
    return { name: "node:sqlite", database: new DatabaseSync(path) };
  }
  const { default: Database } = (await import("libsql")) as unknown as {
    readonly default: new (file: string) => BareDatabase;
  };
  return { name: "libsql", database: new Database(path) };
}

/** The table of events, as the engine has it. */
export function prepareTable(database: BareDatabase, durability: "process" | "disk"): void {
  database.exec("PRAGMA journal_mode = WAL");
  database.exec(`PRAGMA synchronous = ${durability === "disk" ? "FULL" : "NORMAL"}`);
  database.exec(
    `CREATE TABLE events (offset INTEGER PRIMARY KEY, type TEXT NOT NULL, subject TEXT, timestamp TEXT NOT NULL,
     size INTEGER NOT NULL, crc INTEGER NOT NULL, json TEXT NOT NULL) STRICT`,
  );
}
