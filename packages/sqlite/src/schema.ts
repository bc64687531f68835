import { InvalidOptionError, StarcastError } from "@starcast/core";
import type { Driver } from "./driver.ts";

/** Each step brings a file from the version of its index to the next; steps are never changed once released. */
const migrations: readonly string[] = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
   CREATE TABLE events (
     offset INTEGER PRIMARY KEY, type TEXT NOT NULL, subject TEXT, timestamp TEXT NOT NULL,
     size INTEGER NOT NULL, crc INTEGER NOT NULL, json TEXT NOT NULL
   ) STRICT;
   CREATE TABLE dedupe (key TEXT PRIMARY KEY, offset INTEGER NOT NULL, timestamp TEXT NOT NULL, until INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE INDEX dedupe_until ON dedupe (until);
   CREATE TABLE checkpoints (
     name TEXT PRIMARY KEY, epoch TEXT, offset INTEGER, holder INTEGER, until INTEGER NOT NULL, crc INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE records (key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE delivery_events (
     id TEXT PRIMARY KEY, type TEXT NOT NULL, subject TEXT, timestamp TEXT NOT NULL, crc INTEGER NOT NULL, json TEXT NOT NULL
   ) STRICT;
   CREATE TABLE deliveries (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT, endpoint_id TEXT NOT NULL, event_id TEXT NOT NULL, order_key TEXT,
     created_at INTEGER NOT NULL, state TEXT NOT NULL, due_at INTEGER, ended_at INTEGER, reason TEXT,
     blocked INTEGER NOT NULL DEFAULT 0, token INTEGER NOT NULL DEFAULT 0,
     attempt_count INTEGER NOT NULL DEFAULT 0, attempts TEXT NOT NULL DEFAULT '[]',
     UNIQUE (endpoint_id, event_id)
   ) STRICT;
   CREATE INDEX deliveries_due ON deliveries (endpoint_id, due_at, sequence) WHERE ended_at IS NULL AND blocked = 0;
   CREATE INDEX deliveries_order ON deliveries (endpoint_id, order_key, sequence) WHERE ended_at IS NULL AND order_key IS NOT NULL;
   CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL;
   CREATE INDEX deliveries_event ON deliveries (event_id);
   CREATE TABLE backlogs (endpoint_id TEXT PRIMARY KEY, unfinished INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TRIGGER backlog_added AFTER INSERT ON deliveries WHEN new.ended_at IS NULL BEGIN
     INSERT INTO backlogs (endpoint_id, unfinished) VALUES (new.endpoint_id, 1)
       ON CONFLICT (endpoint_id) DO UPDATE SET unfinished = unfinished + 1;
   END;
   CREATE TRIGGER backlog_revived AFTER UPDATE OF ended_at ON deliveries WHEN old.ended_at IS NOT NULL AND new.ended_at IS NULL BEGIN
     INSERT INTO backlogs (endpoint_id, unfinished) VALUES (new.endpoint_id, 1)
       ON CONFLICT (endpoint_id) DO UPDATE SET unfinished = unfinished + 1;
   END;
   CREATE TRIGGER backlog_ended AFTER UPDATE OF ended_at ON deliveries WHEN old.ended_at IS NULL AND new.ended_at IS NOT NULL BEGIN
     UPDATE backlogs SET unfinished = unfinished - 1 WHERE endpoint_id = new.endpoint_id;
     DELETE FROM backlogs WHERE endpoint_id = new.endpoint_id AND unfinished <= 0;
   END;
   CREATE TRIGGER backlog_removed AFTER DELETE ON deliveries WHEN old.ended_at IS NULL BEGIN
     UPDATE backlogs SET unfinished = unfinished - 1 WHERE endpoint_id = old.endpoint_id;
     DELETE FROM backlogs WHERE endpoint_id = old.endpoint_id AND unfinished <= 0;
   END;`,
  `CREATE INDEX deliveries_attempting ON deliveries (sequence) WHERE state = 'attempting';`,
  // Claims are kept in memory from here on, and backlogs are counted there: one write per commit, not one per delivery.
  `UPDATE deliveries SET state = 'pending', due_at = created_at WHERE state = 'attempting';
   DROP INDEX deliveries_attempting;
   DROP TRIGGER backlog_added;
   DROP TRIGGER backlog_revived;
   DROP TRIGGER backlog_ended;
   DROP TRIGGER backlog_removed;
   ALTER TABLE deliveries DROP COLUMN token;`,
  // Of deliveries written before, crc is NULL: their endpoint and order key are taken as they are.
  `ALTER TABLE deliveries ADD COLUMN crc INTEGER;
   DROP INDEX deliveries_ended;
   CREATE INDEX deliveries_finished ON deliveries (state, ended_at) WHERE ended_at IS NOT NULL;`,
  `CREATE TABLE seen (sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, content TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
   CREATE INDEX seen_id ON seen (id);
   CREATE INDEX seen_content ON seen (content);`,
  // Events that the log has are no longer copied for deliveries: code of before would not find them.
  "",
];

/** The version of files this code writes. */
export const schemaVersion: number = migrations.length;

// "Star": tells our files from those of other programs.
const applicationId = 0x53746172;

/**
 * Brings a file to this version. Throws `store_too_new` for a file of newer code, `invalid_option` for one of another
 * program, and changes nothing then.
 */
export function migrate(driver: Driver): void {
  const isEmpty = numberOf(driver, "SELECT count(*) FROM sqlite_schema") === 0;
  if (!isOurs(driver) && !isEmpty) {
    throw new InvalidOptionError({
      option: "path",
      expected: "a file that is new or was made by @starcast/sqlite",
      received: "a SQLite file of another program",
    });
  }
  const version = numberOf(driver, "PRAGMA user_version");
  if (version > schemaVersion) {
    throw new StarcastError(
      "store_too_new",
      `Expected a SQLite file of version ${schemaVersion} or older, got version ${version}: upgrade @starcast/sqlite`,
    );
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    driver.exec(
      `BEGIN IMMEDIATE; ${sql} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${index + 1}; COMMIT;`,
    );
  }
}

/** Whether a store has written this file; an empty one is nobody's. */
export function isOurs(driver: Driver): boolean {
  return numberOf(driver, "PRAGMA application_id") === applicationId;
}

function numberOf(driver: Driver, sql: string): number {
  // `libsql` adds a property of its own to what it gives back.
  return Number(Object.values(driver.prepare(sql).get() ?? {}).find((value) => typeof value === "number") ?? 0);
}
