import type { StoredEvent } from "@starcast/core";
import { checksum, expectChecksum } from "./checksum.ts";
import type { Driver, Row, Statement } from "./driver.ts";

const sql: Readonly<Record<StatementName, string>> = {
  insert: "INSERT INTO events (offset, type, subject, timestamp, size, crc, json) VALUES (?, ?, ?, ?, ?, ?, ?)",
  read: "SELECT * FROM events WHERE offset > ? AND offset <= ? ORDER BY offset LIMIT ?",
  ends: "SELECT (SELECT min(offset) FROM events) AS first, (SELECT max(offset) FROM events) AS last",
  oldest: "SELECT offset, size, timestamp FROM events WHERE offset > ? ORDER BY offset LIMIT ?",
  deleteThrough: "DELETE FROM events WHERE offset <= ?",
  findKey: "SELECT * FROM dedupe WHERE key = ? AND until > ?",
  putKey: "INSERT OR REPLACE INTO dedupe (key, offset, timestamp, until, crc) VALUES (?, ?, ?, ?, ?)",
  forgetKeys: "DELETE FROM dedupe WHERE key IN (SELECT key FROM dedupe WHERE until <= ? ORDER BY until LIMIT ?)",
};

type StatementName = "insert" | "read" | "ends" | "oldest" | "deleteThrough" | "findKey" | "putKey" | "forgetKeys";

export type EventStatements = Readonly<Record<StatementName, Statement>>;

/** Every statement of the log, prepared once. */
export function prepareEvents(driver: Driver): EventStatements {
  const prepared = Object.entries(sql).map(([name, text]) => [name, driver.prepare(text)] as const);
  // One statement per name of the table above.
  return Object.fromEntries(prepared) as EventStatements;
}

export function insertEvent(statements: EventStatements, event: StoredEvent): void {
  const { offset, type, subject = null, timestamp, sizeBytes, json } = event;
  const crc = checksum([offset, type, subject, timestamp, sizeBytes], json);
  statements.insert.run(offset, type, subject, timestamp, sizeBytes, crc, json);
}

/** The event as it was written; throws `store_corrupt` when it is not. */
export function eventOf(row: Row): StoredEvent {
  const offset = Number(row["offset"]);
  const type = String(row["type"]);
  const subject = typeof row["subject"] === "string" ? row["subject"] : undefined;
  const timestamp = String(row["timestamp"]);
  const sizeBytes = Number(row["size"]);
  const json = String(row["json"]);
  expectChecksum(`event ${offset}`, checksum([offset, type, subject ?? null, timestamp, sizeBytes], json), row["crc"]);
  return { offset, type, subject, timestamp, json, sizeBytes };
}
