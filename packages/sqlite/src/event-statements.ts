import type { StoredEvent } from "@starcast/core";
import { crc32 } from "node:zlib";
import { expectChecksum } from "./checksum.ts";
import { bytesOf, numberColumn, textColumn } from "./columns.ts";
import type { Driver, Row, Statement } from "./driver.ts";

const sql: Readonly<Record<StatementName, string>> = {
  insert: "INSERT INTO events (offset, type, subject, timestamp, size, crc, json) VALUES (?, ?, ?, ?, ?, ?, ?)",
  read: `SELECT offset, ${numberColumn("size")}, ${numberColumn("crc")}, ${textColumn(
    "type || char(10) || timestamp || char(10) || ifnull('+' || subject, '-') || char(10) || json",
    "text",
  )} FROM events WHERE offset > ? AND offset <= ? ORDER BY offset LIMIT ?`,
  ends: "SELECT (SELECT min(offset) FROM events) AS first, (SELECT max(offset) FROM events) AS last",
  oldest: `SELECT offset, ${numberColumn("size")}, ${textColumn("timestamp")} FROM events WHERE offset > ? ORDER BY offset LIMIT ?`,
  deleteThrough: "DELETE FROM events WHERE offset <= ?",
  findKey: `SELECT ${numberColumn("offset")}, ${textColumn("timestamp")}, ${numberColumn("crc")} FROM dedupe WHERE key = ? AND until > ?`,
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
  const { offset, type, subject, timestamp, sizeBytes, json } = event;
  const crc = crc32(
    `${type}\n${timestamp}\n${subject === undefined ? "-" : `+${subject}`}\n${json}`,
    seed(offset, sizeBytes),
  );
  statements.insert.run(offset, type, subject ?? null, timestamp, sizeBytes, crc, json);
}

/** The event as it was written; throws `store_corrupt` when it is not. */
export function eventOf(row: Row): StoredEvent {
  const offset = Number(row["offset"]);
  const sizeBytes = Number(row["size"]);
  // The texts in one column: of what a row costs, most is the number of values in it.
  const bytes = bytesOf(row["text"]);
  expectChecksum(`event ${offset}`, crc32(bytes, seed(offset, sizeBytes)), row["crc"]);
  const text = bytes.toString("utf8");
  const first = text.indexOf("\n");
  const second = text.indexOf("\n", first + 1);
  const third = text.indexOf("\n", second + 1);
  return {
    offset,
    type: text.slice(0, first),
    timestamp: text.slice(first + 1, second),
    subject: text[second + 1] === "+" ? text.slice(second + 2, third) : undefined,
    json: text.slice(third + 1),
    sizeBytes,
  };
}

function seed(offset: number, sizeBytes: number): number {
  return (Math.imul(offset, 2_654_435_761) ^ sizeBytes) >>> 0;
}
