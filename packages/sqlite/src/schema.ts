import { StarcastError } from "@starcast/core";
import type { Driver } from "./driver.ts";

/** Each step brings a file from the version of its index to the next; steps are never changed once released. */
const migrations: readonly string[] = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
   CREATE TABLE events (
     offset INTEGER PRIMARY KEY, type TEXT NOT NULL, subject TEXT, timestamp TEXT NOT NULL,
     size INTEGER NOT NULL, crc INTEGER NOT NULL, json TEXT NOT NULL
   ) STRICT;
   CREATE TABLE dedupe (key TEXT PRIMARY KEY, offset INTEGER NOT NULL, timestamp TEXT NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE INDEX dedupe_until ON dedupe (until);
   CREATE TABLE checkpoints (
     name TEXT PRIMARY KEY, epoch TEXT, offset INTEGER, holder INTEGER, until INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE records (key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE delivery_events (
     id TEXT PRIMARY KEY, type TEXT NOT NULL, subject TEXT, timestamp TEXT NOT NULL, json TEXT NOT NULL
   ) STRICT;
   CREATE TABLE deliveries (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT, endpoint_id TEXT NOT NULL, event_id TEXT NOT NULL, order_key TEXT,
     created_at INTEGER NOT NULL, state TEXT NOT NULL, due_at INTEGER, ended_at INTEGER, reason TEXT,
     token INTEGER NOT NULL DEFAULT 0, attempt_count INTEGER NOT NULL DEFAULT 0, attempts TEXT NOT NULL DEFAULT '[]',
     UNIQUE (endpoint_id, event_id)
   ) STRICT;
   CREATE INDEX deliveries_due ON deliveries (endpoint_id, due_at, sequence) WHERE ended_at IS NULL;
   CREATE INDEX deliveries_order ON deliveries (endpoint_id, order_key, sequence) WHERE ended_at IS NULL AND order_key IS NOT NULL;
   CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL;
   CREATE INDEX deliveries_event ON deliveries (event_id);`,
];

/** The version of files this code writes. */
export const schemaVersion: number = migrations.length;

/** Brings a file to this version; throws `store_too_new` for a file of newer code, and changes nothing then. */
export function migrate(driver: Driver): void {
  const version = Number(driver.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (version > schemaVersion) {
    throw new StarcastError(
      "store_too_new",
      `Expected a SQLite file of version ${schemaVersion} or older, got version ${version}: upgrade @starcast/sqlite`,
    );
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    driver.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}
