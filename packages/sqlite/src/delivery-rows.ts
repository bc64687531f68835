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
import { numberColumn, textColumn, textOf, textOrNull } from "./columns.ts";
import type { Row, SqlValue } from "./driver.ts";
import { eventChecksum } from "./event-statements.ts";

/** Columns of a delivery together with its event. */
export const deliveryColumns: string = [
  "d.sequence",
  textColumn("d.endpoint_id", "endpoint_id"),
  textColumn("d.order_key", "order_key"),
  numberColumn("d.created_at", "created_at"),
  textColumn("d.state", "state"),
  numberColumn("d.due_at", "due_at"),
  numberColumn("d.ended_at", "ended_at"),
  textColumn("d.reason", "reason"),
  numberColumn("d.attempt_count", "attempt_count"),
  textColumn("d.attempts", "attempts"),
  numberColumn("d.crc", "own_crc"),
  textColumn("d.event_id", "event_id"),
  "e.id IS NOT NULL AS is_copy",
  "l.offset",
  numberColumn("l.size", "size"),
  textColumn("iif(e.id IS NULL, l.type, e.type)", "type"),
  textColumn("iif(e.id IS NULL, l.subject, e.subject)", "subject"),
  textColumn("iif(e.id IS NULL, l.timestamp, e.timestamp)", "timestamp"),
  numberColumn("iif(e.id IS NULL, l.crc, e.crc)", "crc"),
  textColumn("iif(e.id IS NULL, l.json, e.json)", "json"),
].join(", ");

/** A delivery, and its event: in a copy, or in the log as long as that has it. */
export function deliveryTables(epoch: string): string {
  const prefix = `'${epoch.replaceAll("'", "''")}-'`;
  return `deliveries d LEFT JOIN delivery_events e ON e.id = d.event_id
    LEFT JOIN events l ON e.id IS NULL AND l.offset = CAST(substr(d.event_id, ${epoch.length + 2}) AS INTEGER) AND d.event_id = ${prefix} || l.offset`;
}

/** For the column `crc`, of what never changes: a delivery whose endpoint is damaged would go to another one. */
export function deliveryChecksum(
  endpointId: string,
  eventId: string,
  orderKey: string | undefined,
  createdAt: number,
): number {
  return checksum([endpointId, eventId, orderKey ?? null], String(createdAt));
}

/**
 * What is pending in the file and has a claim, in memory, is being tried. Throws `store_corrupt` when it is not as it was
 * put.
 */
export function deliveryOf(row: Row, claim?: { readonly leaseUntil: number }): Delivery {
  const endpointId = textOf(row["endpoint_id"]);
  const event = eventOf(row);
  const orderKey = textOrNull(row["order_key"]) ?? undefined;
  const createdAt = Number(row["created_at"]);
  // None where a version wrote it that had no checksum here.
  if (row["own_crc"] !== null) {
    const crc = deliveryChecksum(endpointId, event.id, orderKey, createdAt);
    expectChecksum(`the delivery of ${event.id}`, crc, row["own_crc"]);
  }
  return Object.freeze({
    endpointId,
    event,
    orderKey,
    createdAt,
    state: stateOf(row, claim),
    attemptCount: Number(row["attempt_count"]),
    attempts: attemptsOf(row),
  });
}

/** The selection as a condition on `d`, and its values; `attempting` are the places of what is being tried. Pure. */
export function whereOf(
  { endpointId, eventId, states, since, until }: DeliverySelection,
  attempting: readonly number[],
): {
  readonly sql: string;
  readonly values: readonly SqlValue[];
} {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const add = (sql: string, ...more: readonly (SqlValue | undefined)[]): void => {
    const given = more.filter((value) => value !== undefined);
    if (given.length < more.length) return;
    conditions.push(sql);
    values.push(...given);
  };
  add("d.endpoint_id = ?", endpointId);
  add("d.event_id = ?", eventId);
  add("d.created_at >= ?", since);
  add("d.created_at < ?", until);
  if (states !== undefined) {
    const [isPending, isAttempting] = [states.includes("pending"), states.includes("attempting")];
    add(`d.state IN (${[...states.map(() => "?"), "'pending'"].join(", ")})`, ...states);
    // What is being tried is pending in the file.
    const tried = "d.sequence IN (SELECT value FROM json_each(?))";
    if (!isPending && !isAttempting) add("d.state <> 'pending'");
    else if (!isAttempting) add(`(d.state <> 'pending' OR NOT ${tried})`, JSON.stringify(attempting));
    else if (!isPending) add(`(d.state <> 'pending' OR ${tried})`, JSON.stringify(attempting));
  }
  return { sql: conditions.length === 0 ? "TRUE" : conditions.join(" AND "), values };
}

/** The event as it was given; throws `store_corrupt` when it is not, or nowhere. */
function eventOf(row: Row): DeliveredEvent {
  const id = textOf(row["event_id"]);
  const type = textOf(row["type"]);
  const subject = textOrNull(row["subject"]) ?? undefined;
  const timestamp = textOf(row["timestamp"]);
  const json = textOf(row["json"]);
  const crc =
    row["is_copy"] === 1
      ? checksum([id, type, subject ?? null, timestamp], json)
      : eventChecksum({
          offset: Number(row["offset"]),
          type,
          subject,
          timestamp,
          sizeBytes: Number(row["size"]),
          json,
        });
  expectChecksum(`the event of delivery ${id}`, crc, row["crc"]);
  return Object.freeze({ id, type, subject, timestamp, json });
}

function attemptsOf(row: Row): readonly Attempt[] {
  try {
    // Written by this package only.
    return JSON.parse(textOf(row["attempts"])) as readonly Attempt[];
  } catch (error) {
    throw damaged("the attempts of a delivery as they were", error);
  }
}

function stateOf(row: Row, claim: { readonly leaseUntil: number } | undefined): DeliveryState {
  const dueAt = Number(row["due_at"]);
  const at = Number(row["ended_at"]);
  switch (textOf(row["state"])) {
    case "pending":
      return claim === undefined ? { kind: "pending", dueAt } : { kind: "attempting", leaseUntil: claim.leaseUntil };
    case "succeeded":
      return { kind: "succeeded", at };
    case "dead":
      return { kind: "dead", at, reason: textOf(row["reason"]) as DeadReason };
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
