import { BulkStatement } from "./bulk-statement.ts";
import { deliveryColumns, deliveryTables } from "./delivery-rows.ts";
import { textColumn } from "./columns.ts";
import type { Driver, Statement } from "./driver.ts";

const endedBefore =
  "SELECT sequence FROM deliveries WHERE state = ? AND ended_at < ? ORDER BY ended_at, sequence LIMIT ?";

const sqlOf = (epoch: string): Readonly<Record<StatementName, string>> => ({
  newest:
    "SELECT max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'), 0), ifnull((SELECT max(sequence) FROM deliveries), 0)) AS sequence",
  places: "SELECT sequence FROM deliveries WHERE sequence >= ? AND sequence < ?",
  olderOfKey: "SELECT 1 FROM deliveries WHERE endpoint_id = ? AND order_key = ? AND ended_at IS NULL LIMIT 1",
  // Of deliveries with the same order key only the oldest unfinished one is not blocked.
  // In one value: of what a row costs, most is handing it over.
  firstDue: `SELECT ${textColumn("group_concat(sequence)", "sequences")} FROM (SELECT sequence FROM deliveries WHERE endpoint_id = ? AND ended_at IS NULL AND blocked = 0 AND due_at <= ? ORDER BY due_at, sequence LIMIT ?)`,
  firstPending:
    "SELECT sequence, CAST(due_at AS INTEGER) AS due_at FROM deliveries WHERE endpoint_id = ? AND ended_at IS NULL AND blocked = 0 ORDER BY deliveries.due_at, sequence LIMIT ?",
  // The two oldest are all that one delivery, ended or begun again, can change; and itself.
  settleKey: `UPDATE deliveries SET blocked = sequence IS NOT (SELECT min(sequence) FROM deliveries WHERE endpoint_id = ?1 AND order_key = ?2 AND ended_at IS NULL)
    WHERE sequence = ?3 OR sequence IN (SELECT sequence FROM deliveries WHERE endpoint_id = ?1 AND order_key = ?2 AND ended_at IS NULL ORDER BY sequence LIMIT 2)`,
  // Since it was looked up it may have ended, or been put off by whoever had it before.
  dueBySequence: `SELECT ${deliveryColumns} FROM ${deliveryTables(epoch)} WHERE d.sequence = ? AND d.ended_at IS NULL AND d.due_at <= ?`,
  one: `SELECT ${deliveryColumns} FROM ${deliveryTables(epoch)} WHERE d.endpoint_id = ? AND d.event_id = ?`,
  redeliver:
    "UPDATE deliveries SET state = 'pending', due_at = ?, ended_at = NULL, reason = NULL, attempt_count = 0 WHERE sequence = ?",
  counts: `SELECT ${textColumn("state", "kind")}, count(*) AS count FROM deliveries WHERE endpoint_id = ? GROUP BY state`,
  countFinished: "SELECT count(*) AS count FROM deliveries WHERE state = ? AND ended_at IS NOT NULL",
  forget: `DELETE FROM deliveries WHERE sequence IN (${endedBefore})`,
  eventsToForget: `SELECT ${textColumn("event_id")} FROM deliveries WHERE sequence IN (${endedBefore})`,
  removeSome: `DELETE FROM deliveries WHERE sequence IN (SELECT sequence FROM deliveries WHERE endpoint_id = ? LIMIT ?) RETURNING ${textColumn("event_id")}, ${textColumn("state")}`,
});

const insertSql = (rows: string): string =>
  `INSERT INTO deliveries (sequence, endpoint_id, event_id, order_key, created_at, state, due_at, blocked, crc)
    SELECT column1, column2, column3, column4, column5, 'pending', column6, column7, column8 FROM (VALUES ${rows}) WHERE TRUE
    ON CONFLICT (endpoint_id, event_id) DO NOTHING`;

const settleSql = (rows: string): string =>
  `UPDATE deliveries SET state = r.column2, due_at = r.column3, ended_at = r.column4, reason = r.column5, attempt_count = r.column6, attempts = r.column7
    FROM (VALUES ${rows}) r WHERE deliveries.sequence = r.column1 AND deliveries.ended_at IS NULL`;

type StatementName =
  | "newest"
  | "places"
  | "olderOfKey"
  | "firstDue"
  | "firstPending"
  | "settleKey"
  | "dueBySequence"
  | "one"
  | "redeliver"
  | "counts"
  | "countFinished"
  | "forget"
  | "eventsToForget"
  | "removeSome";

export interface DeliveryStatements extends Readonly<Record<StatementName, Statement>> {
  /** Rows of sequence, endpoint_id, event_id, order_key, created_at, due_at, blocked, crc; those that are there stay. */
  readonly insert: BulkStatement;
  /** Rows of sequence, state, due_at, ended_at, reason, attempt_count, attempts; changes those that are unfinished. */
  readonly settle: BulkStatement;
}

/** Every statement of the deliveries, prepared once. */
export function prepareDeliveries(driver: Driver, epoch: string): DeliveryStatements {
  const prepared = Object.entries(sqlOf(epoch)).map(([name, text]) => [name, driver.prepare(text)] as const);
  // One statement per name of the table above.
  const single = Object.fromEntries(prepared) as Readonly<Record<StatementName, Statement>>;
  return {
    ...single,
    insert: new BulkStatement(driver, 8, insertSql),
    settle: new BulkStatement(driver, 7, settleSql),
  };
}
