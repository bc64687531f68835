import type { Attempt, DeadReason, DeliveredEvent, Delivery, DeliverySelection, DeliveryState } from "@starcast/core";
import type { Row, SqlValue } from "./driver.ts";

/** Columns of a delivery together with its event. */
export const deliveryColumns =
  "d.sequence, d.endpoint_id, d.order_key, d.created_at, d.state, d.due_at, d.ended_at, d.reason, d.token, d.attempt_count, d.attempts, e.id, e.type, e.subject, e.timestamp, e.json";

export const deliveryTables = "deliveries d JOIN delivery_events e ON e.id = d.event_id";

export function deliveryOf(row: Row): Delivery {
  return Object.freeze({
    endpointId: String(row["endpoint_id"]),
    event: eventOf(row),
    orderKey: typeof row["order_key"] === "string" ? row["order_key"] : undefined,
    createdAt: Number(row["created_at"]),
    state: stateOf(row),
    attemptCount: Number(row["attempt_count"]),
    // Written by this package only.
    attempts: JSON.parse(String(row["attempts"])) as readonly Attempt[],
  });
}

/** The selection as a condition on `d`, and its values. Pure. */
export function whereOf({ endpointId, eventId, states, since, until }: DeliverySelection): {
  readonly sql: string;
  readonly values: readonly SqlValue[];
} {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const add = (sql: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    conditions.push(sql);
    values.push(value);
  };
  add("d.endpoint_id = ?", endpointId);
  add("d.event_id = ?", eventId);
  add("d.created_at >= ?", since);
  add("d.created_at < ?", until);
  if (states !== undefined) {
    conditions.push(`d.state IN (${states.map(() => "?").join(", ")})`);
    values.push(...states);
  }
  return { sql: conditions.length === 0 ? "TRUE" : conditions.join(" AND "), values };
}

function eventOf(row: Row): DeliveredEvent {
  const subject = typeof row["subject"] === "string" ? row["subject"] : undefined;
  return Object.freeze({
    id: String(row["id"]),
    type: String(row["type"]),
    subject,
    timestamp: String(row["timestamp"]),
    json: String(row["json"]),
  });
}

function stateOf(row: Row): DeliveryState {
  const kind = row["state"];
  if (kind === "pending") return { kind, dueAt: Number(row["due_at"]) };
  if (kind === "attempting") return { kind, leaseUntil: Number(row["due_at"]) };
  if (kind === "succeeded") return { kind, at: Number(row["ended_at"]) };
  return { kind: "dead", at: Number(row["ended_at"]), reason: String(row["reason"]) as DeadReason };
}
