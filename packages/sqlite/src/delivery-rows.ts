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
import { textOf } from "./columns.ts";
import type { Row, SqlValue } from "./driver.ts";
import { eventChecksum } from "./event-statements.ts";

/** What a row says, in the order of `deliveryColumns`; damage may have made anything of it that has its type. */
type Fields = readonly [
  endpointId: string | null,
  orderKey: string | null,
  createdAt: number | null,
  state: string | null,
  dueAt: number | null,
  endedAt: number | null,
  reason: string | null,
  attemptCount: number | null,
  attempts: string | null,
  ownCrc: number | null,
  eventId: string | null,
  isCopy: number,
  offset: number | null,
  size: number | null,
  type: string | null,
  subject: string | null,
  timestamp: string | null,
  crc: number | null,
  json: string | null,
];

const text = (column: string): string => `CAST(${column} AS TEXT)`;
const number = (column: string): string => `CAST(${column} AS INTEGER)`;
/** Of the copy, or of the log. */
const event = (column: string): string => `iif(e.id IS NULL, l.${column}, e.${column})`;

/**
 * A delivery together with its event, in one value: of what a row costs, most is handing each of its values over (a third
 * of the time).
 */
export const deliveryColumns: string = `d.sequence, CAST(json_array(${[
  text("d.endpoint_id"),
  text("d.order_key"),
  number("d.created_at"),
  text("d.state"),
  number("d.due_at"),
  number("d.ended_at"),
  text("d.reason"),
  number("d.attempt_count"),
  text("d.attempts"),
  number("d.crc"),
  text("d.event_id"),
  "e.id IS NOT NULL",
  "l.offset",
  number("l.size"),
  text(event("type")),
  text(event("subject")),
  text(event("timestamp")),
  number(event("crc")),
  text(event("json")),
].join(", ")}) AS BLOB) AS fields`;

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
export function deliveryOf(
  row: Row,
  claimOf: (endpointId: string) => { readonly leaseUntil: number } | undefined,
): Delivery {
  const fields = parsed<Fields>(textOf(row["fields"]), "a delivery as it was");
  const [endpoint, key, created, state, dueAt, endedAt, reason, attemptCount, attempts, ownCrc] = fields;
  const endpointId = endpoint ?? "";
  const event = eventOf(fields);
  const orderKey = key ?? undefined;
  const createdAt = created ?? 0;
  // None where a version wrote it that had no checksum here.
  if (ownCrc !== null) {
    const crc = deliveryChecksum(endpointId, event.id, orderKey, createdAt);
    expectChecksum(`the delivery of ${event.id}`, crc, ownCrc);
  }
  return Object.freeze({
    endpointId,
    event,
    orderKey,
    createdAt,
    state: stateOf({ state, dueAt: dueAt ?? 0, at: endedAt ?? 0, reason }, claimOf(endpointId)),
    attemptCount: attemptCount ?? 0,
    attempts: parsed<readonly Attempt[]>(attempts ?? "", "the attempts of a delivery as they were"),
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
function eventOf(fields: Fields): DeliveredEvent {
  const [, , , , , , , , , , eventId, isCopy, offset, size, givenType, givenSubject, givenTimestamp, crc, body] =
    fields;
  const id = eventId ?? "";
  const type = givenType ?? "";
  const subject = givenSubject ?? undefined;
  const timestamp = givenTimestamp ?? "";
  const json = body ?? "";
  const expected =
    isCopy === 1
      ? checksum([id, type, subject ?? null, timestamp], json)
      : eventChecksum({ offset: offset ?? 0, type, subject, timestamp, sizeBytes: size ?? 0, json });
  expectChecksum(`the event of delivery ${id}`, expected, crc);
  return Object.freeze({ id, type, subject, timestamp, json });
}

/** Written by this package only. */
function parsed<Value>(json: string, expected: string): Value {
  try {
    return JSON.parse(json) as Value;
  } catch (error) {
    throw damaged(expected, error);
  }
}

function stateOf(
  {
    state,
    dueAt,
    at,
    reason,
  }: { readonly state: string | null; readonly dueAt: number; readonly at: number; readonly reason: string | null },
  claim: { readonly leaseUntil: number } | undefined,
): DeliveryState {
  switch (state) {
    case "pending":
      return claim === undefined ? { kind: "pending", dueAt } : { kind: "attempting", leaseUntil: claim.leaseUntil };
    case "succeeded":
      return { kind: "succeeded", at };
    case "dead":
      return { kind: "dead", at, reason: (reason ?? "") as DeadReason };
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
