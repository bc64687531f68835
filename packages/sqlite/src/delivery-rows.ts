import {
  StarcastError,
  type Attempt,
  type DeadReason,
  type DeliveredEvent,
  type Delivery,
  type DeliverySelection,
  type DeliveryState,
} from "@starcast/core";
import { checksum, expectChecksum } from "./checksum.ts";
import type { Row, SqlValue } from "./driver.ts";

/** Columns of a delivery together with its event. */
export const deliveryColumns =
  "d.sequence, d.endpoint_id, d.order_key, d.created_at, d.state, d.due_at, d.ended_at, d.reason, d.token, d.attempt_count, d.attempts, e.id, e.type, e.subject, e.timestamp, e.crc, e.json";

export const deliveryTables = "deliveries d JOIN delivery_events e ON e.id = d.event_id";

export function deliveryOf(row: Row): Delivery {
  return Object.freeze({
    endpointId: String(row["endpoint_id"]),
    event: eventOf(row),
    orderKey: typeof row["order_key"] === "string" ? row["order_key"] : undefined,
    createdAt: Number(row["created_at"]),
    state: stateOf(row),
    attemptCount: Number(row["attempt_count"]),
    attempts: attemptsOf(row),
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

/** The event as it was given; throws `store_corrupt` when it is not. */
function eventOf(row: Row): DeliveredEvent {
  const id = String(row["id"]);
  const type = String(row["type"]);
  const subject = typeof row["subject"] === "string" ? row["subject"] : undefined;
  const timestamp = String(row["timestamp"]);
  const json = String(row["json"]);
  expectChecksum(`the event of delivery ${id}`, checksum([id, type, subject ?? null, timestamp], json), row["crc"]);
  return Object.freeze({ id, type, subject, timestamp, json });
}

function attemptsOf(row: Row): readonly Attempt[] {
  try {
    // Written by this package only.
    return JSON.parse(String(row["attempts"])) as readonly Attempt[];
  } catch (error) {
    throw damaged("the attempts of a delivery as they were", error);
  }
}

function stateOf(row: Row): DeliveryState {
  const dueAt = Number(row["due_at"]);
  const at = Number(row["ended_at"]);
  switch (row["state"]) {
    case "pending":
      return { kind: "pending", dueAt };
    case "attempting":
      return { kind: "attempting", leaseUntil: dueAt };
    case "succeeded":
      return { kind: "succeeded", at };
    case "dead":
      return { kind: "dead", at, reason: String(row["reason"]) as DeadReason };
    default:
      throw damaged("a state of a delivery");
  }
}

function damaged(expected: string, cause?: unknown): StarcastError {
  return new StarcastError(
    "store_corrupt",
    `Expected ${expected}, got a damaged one: restore a backup with SqliteStore.restore`,
    { cause },
  );
}
