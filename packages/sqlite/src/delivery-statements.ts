import { deliveryColumns, deliveryTables } from "./delivery-rows.ts";
import type { Driver, Statement } from "./driver.ts";

const sql: Readonly<Record<StatementName, string>> = {
  isKnown: "SELECT 1 FROM deliveries WHERE endpoint_id = ? AND event_id = ?",
  putEvent:
    "INSERT INTO delivery_events (id, type, subject, timestamp, json) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
  insert:
    "INSERT INTO deliveries (endpoint_id, event_id, order_key, created_at, state, due_at, ended_at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  // Counting stops at the bound: a full endpoint costs no more than one that is nearly full.
  unfinished:
    "SELECT count(*) AS count FROM (SELECT 1 FROM deliveries WHERE endpoint_id = ? AND ended_at IS NULL LIMIT ?)",
  endpointAfter:
    "SELECT endpoint_id FROM deliveries WHERE ended_at IS NULL AND endpoint_id > ? ORDER BY endpoint_id LIMIT 1",
  // Of deliveries with the same order key only the oldest unfinished one.
  firstDue: `SELECT d.sequence FROM deliveries d WHERE d.endpoint_id = ? AND d.ended_at IS NULL AND d.due_at <= ?
    AND (d.order_key IS NULL OR NOT EXISTS (
      SELECT 1 FROM deliveries o WHERE o.endpoint_id = d.endpoint_id AND o.order_key = d.order_key AND o.ended_at IS NULL AND o.sequence < d.sequence))
    ORDER BY d.due_at, d.sequence LIMIT 1`,
  nextDue: `SELECT d.due_at FROM deliveries d WHERE d.endpoint_id = ? AND d.ended_at IS NULL
    AND (d.order_key IS NULL OR NOT EXISTS (
      SELECT 1 FROM deliveries o WHERE o.endpoint_id = d.endpoint_id AND o.order_key = d.order_key AND o.ended_at IS NULL AND o.sequence < d.sequence))
    ORDER BY d.due_at LIMIT 1`,
  nextPending:
    "SELECT due_at FROM deliveries WHERE endpoint_id = ? AND ended_at IS NULL AND state = 'pending' ORDER BY due_at LIMIT 1",
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
  counts: "SELECT state, count(*) AS count FROM deliveries WHERE endpoint_id = ? GROUP BY state",
  forget:
    "DELETE FROM deliveries WHERE sequence IN (SELECT sequence FROM deliveries WHERE ended_at < ? ORDER BY ended_at LIMIT ?)",
  removeEndpoint: "DELETE FROM deliveries WHERE endpoint_id = ?",
  dropEvents: "DELETE FROM delivery_events WHERE id NOT IN (SELECT event_id FROM deliveries)",
};

type StatementName =
  | "isKnown"
  | "putEvent"
  | "insert"
  | "unfinished"
  | "endpointAfter"
  | "firstDue"
  | "nextDue"
  | "nextPending"
  | "claim"
  | "bySequence"
  | "one"
  | "retry"
  | "release"
  | "finish"
  | "redeliver"
  | "counts"
  | "forget"
  | "removeEndpoint"
  | "dropEvents";

export type DeliveryStatements = Readonly<Record<StatementName, Statement>>;

/** Every statement of the deliveries, prepared once. */
export function prepareDeliveries(driver: Driver): DeliveryStatements {
  const prepared = Object.entries(sql).map(([name, text]) => [name, driver.prepare(text)] as const);
  // One statement per name of the table above.
  return Object.fromEntries(prepared) as DeliveryStatements;
}
