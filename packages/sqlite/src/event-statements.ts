import type { StoredEvent } from "@starcast/core";
import { crc32 } from "node:zlib";
import { BulkStatement } from "./bulk-statement.ts";
import { bytesOf, numberColumn, textColumn } from "./columns.ts";
import type { Driver, Statement } from "./driver.ts";

/**
 * All rows in one value: of what a row costs, most is handing each of its values over (2x the events per second).
 * A body that is damaged into a NULL still gives a row, whose checksum does not hold.
 */
export const readEventsSql = `SELECT CAST(group_concat(piece, '') AS BLOB) AS pieces FROM (
    SELECT coalesce(
      offset || ' ' || CAST(size AS INTEGER) || ' ' || CAST(crc AS INTEGER) || ' ' || octet_length(body) || char(10) || body,
      offset || ' 0 0 0' || char(10)) AS piece
    FROM (SELECT offset, size, crc, type || char(10) || timestamp || char(10) || ifnull('+' || subject, '-') || char(10) || json AS body
      FROM events WHERE offset > ? AND offset <= ? ORDER BY offset LIMIT ?))`;

const sql: Readonly<Record<StatementName, string>> = {
  ends: "SELECT (SELECT min(offset) FROM events) AS first, (SELECT max(offset) FROM events) AS last",
  oldest: `SELECT offset, ${numberColumn("size")}, ${textColumn("timestamp")} FROM events WHERE offset > ? ORDER BY offset LIMIT ?`,
  deleteThrough: "DELETE FROM events WHERE offset <= ?",
  findKey: `SELECT ${numberColumn("offset")}, ${textColumn("timestamp")}, ${numberColumn("until")}, ${numberColumn("crc")} FROM dedupe WHERE key = ?`,
  countKeys: "SELECT count(*) AS count FROM dedupe",
  forgetKey: "DELETE FROM dedupe WHERE key = ?",
  putKey: "INSERT INTO dedupe (key, offset, timestamp, until, crc) VALUES (?, ?, ?, ?, ?)",
  forgetKeys: "DELETE FROM dedupe WHERE key IN (SELECT key FROM dedupe WHERE until <= ? ORDER BY until LIMIT ?)",
};

type StatementName =
  "ends" | "oldest" | "deleteThrough" | "findKey" | "countKeys" | "forgetKey" | "putKey" | "forgetKeys";

export type EventStatements = Readonly<Record<StatementName, Statement>> & { readonly insert: BulkStatement };

/** Every statement of the log, prepared once. */
export function prepareEvents(driver: Driver): EventStatements {
  const prepared = Object.entries(sql).map(([name, text]) => [name, driver.prepare(text)] as const);
  // One statement per name of the table above.
  const single = Object.fromEntries(prepared) as Readonly<Record<StatementName, Statement>>;
  const columns = "offset, type, subject, timestamp, size, crc, json";
  return {
    ...single,
    insert: new BulkStatement(driver, 7, (rows) => `INSERT INTO events (${columns}) VALUES ${rows}`),
  };
}

export function insertEvents({ insert }: EventStatements, events: readonly StoredEvent[]): void {
  insert.run(events, (event, values) => {
    const { offset, type, subject, timestamp, sizeBytes, json } = event;
    values.push(offset, type, subject ?? null, timestamp, sizeBytes, eventChecksum(event), json);
  });
}

/** For the column `crc`. */
export function eventChecksum({ offset, type, subject, timestamp, sizeBytes, json }: StoredEvent): number {
  return crc32(
    `${type}\n${timestamp}\n${subject === undefined ? "-" : `+${subject}`}\n${json}`,
    seed(offset, sizeBytes),
  );
}

/**
 * How many events one look may give: their bytes are one value, which SQLite and memory bound, however large the largest of
 * the log is. More than 128 gain nothing.
 */
export function eventsPerLook(largestBytes: number): number {
  return Math.max(1, Math.min(128, Math.floor(maxLookBytes / Math.max(1, largestBytes))));
}

/** 128 events of the largest there are by default. */
const maxLookBytes = 33_554_432;

/** With `readEventsSql`: up to `limit` events after an offset, as they were written; a damaged one is a `null`, and ends them. */
export function readEvents(
  read: Statement,
  range: { readonly after: number; readonly through: number; readonly limit: number },
): readonly (StoredEvent | null)[] {
  const bytes = bytesOf(read.get(range.after, range.through, range.limit)?.["pieces"]);
  const events: (StoredEvent | null)[] = [];
  let last = range.after;
  for (let at = 0; at < bytes.length;) {
    const line = bytes.indexOf(newline, at);
    const [offset = 0, sizeBytes = 0, crc = 0, length = 0] = bytes.toString("latin1", at, line).split(" ").map(Number);
    at = line + 1 + length;
    const body = bytes.subarray(line + 1, at);
    // A damaged page can make rows that never were: offsets go up, and bodies are what was measured.
    const isWhole = offset > last && offset <= range.through && at <= bytes.length && body.length > 0;
    if (!isWhole || crc32(body, seed(offset, sizeBytes)) !== crc) return [...events, null];
    events.push(eventOf(offset, sizeBytes, body.toString("utf8")));
    last = offset;
  }
  return events;
}

function eventOf(offset: number, sizeBytes: number, body: string): StoredEvent {
  const first = body.indexOf("\n");
  const second = body.indexOf("\n", first + 1);
  const third = body.indexOf("\n", second + 1);
  return {
    offset,
    type: body.slice(0, first),
    subject: body[second + 1] === "+" ? body.slice(second + 2, third) : undefined,
    timestamp: body.slice(first + 1, second),
    json: body.slice(third + 1),
    sizeBytes,
  };
}

// Cheaper than a text of both, and as good against flipped bits.
function seed(offset: number, sizeBytes: number): number {
  return (Math.imul(offset, 2_654_435_761) ^ sizeBytes) >>> 0;
}

const newline = 10;
