import { BulkStatement } from "./bulk-statement.ts";
import { deliveryColumns, deliveryTables } from "./delivery-rows.ts";
import { textColumn } from "./columns.ts";
import type { Driver, Statement } from "./driver.ts";

const returning = `RETURNING ${textColumn("event_id")}, ${textColumn("state")}`;

const sql: Readonly<Record<StatementName, string>> = {
  putEvent:
    "INSERT INTO delivery_events (id, type, subject, timestamp, crc, json) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
  insert:
    "INSERT INTO deliveries (endpoint_id, event_id, order_key, created_at, state, due_at, ended_at, reason, blocked, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (endpoint_id, event_id) DO NOTHING",
  olderOfKey: "SELECT 1 FROM deliveries WHERE endpoint_id = ? AND order_key = ? AND ended_at IS NULL LIMIT 1",
  // Of deliveries with the same order key only the oldest unfinished one is not blocked.
  firstDue:
    "SELECT sequence FROM deliveries WHERE endpoint_id = ? AND ended_at IS NULL AND blocked = 0 AND due_at <= ? ORDER BY due_at, sequence LIMIT ?",
  firstPending:
    "SELECT sequence, CAST(due_at AS INTEGER) AS due_at FROM deliveries WHERE endpoint_id = ? AND ended_at IS NULL AND blocked = 0 ORDER BY deliveries.due_at, sequence LIMIT ?",
  // The two oldest are all that one delivery, ended or begun again, can change; and itself.
  settleKey: `UPDATE deliveries SET blocked = sequence IS NOT (SELECT min(sequence) FROM deliveries WHERE endpoint_id = ?1 AND order_key = ?2 AND ended_at IS NULL)
    WHERE sequence = ?3 OR sequence IN (SELECT sequence FROM deliveries WHERE endpoint_id = ?1 AND order_key = ?2 AND ended_at IS NULL ORDER BY sequence LIMIT 2)`,
  bySequence: `SELECT ${deliveryColumns} FROM ${deliveryTables} WHERE d.sequence = ? AND d.ended_at IS NULL`,
  one: `SELECT ${deliveryColumns} FROM ${deliveryTables} WHERE d.endpoint_id = ? AND d.event_id = ?`,
  redeliver:
    "UPDATE deliveries SET state = 'pending', due_at = ?, ended_at = NULL, reason = NULL, attempt_count = 0 WHERE sequence = ?",
  counts: `SELECT ${textColumn("state", "kind")}, count(*) AS count FROM deliveries WHERE endpoint_id = ? GROUP BY state`,
  countFinished: "SELECT count(*) AS count FROM deliveries WHERE state = ? AND ended_at IS NOT NULL",
  forget: `DELETE FROM deliveries WHERE sequence IN (SELECT sequence FROM deliveries WHERE state = ? AND ended_at < ? ORDER BY ended_at, sequence LIMIT ?) ${returning}`,
  forgetOldest: `DELETE FROM deliveries WHERE sequence IN (SELECT sequence FROM deliveries WHERE state = ? AND ended_at IS NOT NULL ORDER BY ended_at, sequence LIMIT ?) ${returning}`,
  removeSome: `DELETE FROM deliveries WHERE sequence IN (SELECT sequence FROM deliveries WHERE endpoint_id = ? LIMIT ?) ${returning}`,
  dropEvent: "DELETE FROM delivery_events WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = ?1)",
};

const settleSql = (rows: string): string =>
  `UPDATE deliveries SET state = r.column2, due_at = r.column3, ended_at = r.column4, reason = r.column5, attempt_count = r.column6, attempts = r.column7
    FROM (VALUES ${rows}) r WHERE deliveries.sequence = r.column1 AND deliveries.ended_at IS NULL`;

type StatementName =
  | "putEvent"
  | "insert"
  | "olderOfKey"
  | "firstDue"
  | "firstPending"
  | "settleKey"
  | "bySequence"
  | "one"
  | "redeliver"
  | "counts"
  | "countFinished"
  | "forget"
  | "forgetOldest"
  | "removeSome"
  | "dropEvent";

export interface DeliveryStatements extends Readonly<Record<StatementName, Statement>> {
  /** Rows of sequence, state, due_at, ended_at, reason, attempt_count, attempts; changes those that are unfinished. */
  readonly settle: BulkStatement;
}

/** Every statement of the deliveries, prepared once. */
export function prepareDeliveries(driver: Driver): DeliveryStatements {
  const prepared = Object.entries(sql).map(([name, text]) => [name, driver.prepare(text)] as const);
  // One statement per name of the table above.
  const single = Object.fromEntries(prepared) as Readonly<Record<StatementName, Statement>>;
  return { ...single, settle: new BulkStatement(driver, 7, settleSql) };
}
