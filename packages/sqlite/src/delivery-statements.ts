import { deliveryColumns, deliveryTables } from "./delivery-rows.ts";
import { textColumn } from "./columns.ts";
import type { Driver, Statement } from "./driver.ts";

const sql: Readonly<Record<StatementName, string>> = {
  isKnown: "SELECT 1 FROM deliveries WHERE endpoint_id = ? AND event_id = ?",
  putEvent:
    "INSERT INTO delivery_events (id, type, subject, timestamp, crc, json) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
  insert:
    "INSERT INTO deliveries (endpoint_id, event_id, order_key, created_at, state, due_at, ended_at, reason, blocked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  // Kept by triggers: counting a long backlog for each delivery would cost as much as the backlog is long.
  unfinished: "SELECT CAST(unfinished AS INTEGER) AS unfinished FROM backlogs WHERE endpoint_id = ?",
  endpoints: `SELECT ${textColumn("endpoint_id")} FROM backlogs`,
  olderOfKey: "SELECT 1 FROM deliveries WHERE endpoint_id = ? AND order_key = ? AND ended_at IS NULL LIMIT 1",
  // Of deliveries with the same order key only the oldest unfinished one is not blocked.
  firstDue:
    "SELECT sequence FROM deliveries WHERE endpoint_id = ? AND ended_at IS NULL AND blocked = 0 AND due_at <= ? ORDER BY due_at, sequence LIMIT 1",
  nextDue:
    "SELECT CAST(due_at AS INTEGER) AS due_at FROM deliveries WHERE endpoint_id = ? AND ended_at IS NULL AND blocked = 0 ORDER BY deliveries.due_at LIMIT 1",
  nextPending:
    "SELECT CAST(due_at AS INTEGER) AS due_at FROM deliveries WHERE endpoint_id = ? AND ended_at IS NULL AND blocked = 0 AND state = 'pending' ORDER BY deliveries.due_at LIMIT 1",
  // The two oldest are all that one delivery, ended or begun again, can change; and itself.
  settleKey: `UPDATE deliveries SET blocked = sequence IS NOT (SELECT min(sequence) FROM deliveries WHERE endpoint_id = ?1 AND order_key = ?2 AND ended_at IS NULL)
    WHERE sequence = ?3 OR sequence IN (SELECT sequence FROM deliveries WHERE endpoint_id = ?1 AND order_key = ?2 AND ended_at IS NULL ORDER BY sequence LIMIT 2)`,
  claim: "UPDATE deliveries SET state = 'attempting', due_at = ?, token = token + 1 WHERE sequence = ?",
  bySequence: `SELECT ${deliveryColumns} FROM ${deliveryTables} WHERE d.sequence = ?`,
  one: `SELECT ${deliveryColumns} FROM ${deliveryTables} WHERE d.endpoint_id = ? AND d.event_id = ?`,
  retry:
    "UPDATE deliveries SET state = 'pending', due_at = ?, attempt_count = ?, attempts = ?, token = token + 1 WHERE sequence = ?",
  release: "UPDATE deliveries SET state = 'pending', due_at = ?, token = token + 1 WHERE sequence = ?",
  finish:
    "UPDATE deliveries SET state = ?, due_at = NULL, ended_at = ?, reason = ?, attempt_count = ?, attempts = ?, token = token + 1 WHERE sequence = ?",
  redeliver:
    "UPDATE deliveries SET state = 'pending', due_at = ?, ended_at = NULL, reason = NULL, attempt_count = 0, token = token + 1 WHERE sequence = ?",
  counts: `SELECT ${textColumn("state", "kind")}, count(*) AS count FROM deliveries WHERE endpoint_id = ? GROUP BY state`,
  forget:
    "DELETE FROM deliveries WHERE sequence IN (SELECT sequence FROM deliveries WHERE ended_at < ? ORDER BY ended_at LIMIT ?) RETURNING CAST(event_id AS BLOB) AS event_id",
  removeSome:
    "DELETE FROM deliveries WHERE sequence IN (SELECT sequence FROM deliveries WHERE endpoint_id = ? LIMIT ?) RETURNING CAST(event_id AS BLOB) AS event_id",
  dropEvent: "DELETE FROM delivery_events WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = ?1)",
};

type StatementName =
  | "isKnown"
  | "putEvent"
  | "insert"
  | "unfinished"
  | "endpoints"
  | "olderOfKey"
  | "firstDue"
  | "nextDue"
  | "nextPending"
  | "settleKey"
  | "claim"
  | "bySequence"
  | "one"
  | "retry"
  | "release"
  | "finish"
  | "redeliver"
  | "counts"
  | "forget"
  | "removeSome"
  | "dropEvent";

export type DeliveryStatements = Readonly<Record<StatementName, Statement>>;

/** Every statement of the deliveries, prepared once. */
export function prepareDeliveries(driver: Driver): DeliveryStatements {
  const prepared = Object.entries(sql).map(([name, text]) => [name, driver.prepare(text)] as const);
  // One statement per name of the table above.
  return Object.fromEntries(prepared) as DeliveryStatements;
}
