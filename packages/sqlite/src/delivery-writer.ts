import {
  StarcastError,
  withAttempt,
  type Clock,
  type DeliveredEvent,
  type DeliveryDraft,
  type DeliverySelection,
} from "@starcast/core";
import type { BacklogCounts } from "./backlog-counts.ts";
import { checksum } from "./checksum.ts";
import { textColumn, textOf, textOrNull } from "./columns.ts";
import type { Report } from "./delivery-reports.ts";
import { deliveryChecksum, whereOf } from "./delivery-rows.ts";
import type { DeliveryStatements } from "./delivery-statements.ts";
import type { Driver, SqlValue } from "./driver.ts";
import type { FinishedDeliveries } from "./finished-deliveries.ts";
import type { FreshDelivery } from "./fresh-deliveries.ts";

/** What one `put` brought. */
export interface Put {
  readonly stored: number;
  readonly overflowed: number;
  /** Those that can be tried, by their places in the file. */
  readonly fresh: ReadonlyMap<number, FreshDelivery>;
}

/** Deliveries of a removed endpoint that go in one commit. */
export const removedPerCommit = 1_000;

/** What is done to deliveries within a transaction; memory follows when it is committed. */
export class DeliveryWriter {
  readonly #driver: Driver;
  readonly #statements: DeliveryStatements;
  readonly #counts: BacklogCounts;
  readonly #finished: FinishedDeliveries;
  readonly #clock: Clock;
  readonly #maxPerEndpoint: number;

  constructor(options: {
    readonly driver: Driver;
    readonly statements: DeliveryStatements;
    readonly counts: BacklogCounts;
    readonly finished: FinishedDeliveries;
    readonly clock: Clock;
    readonly maxPerEndpoint: number;
  }) {
    this.#driver = options.driver;
    this.#statements = options.statements;
    this.#counts = options.counts;
    this.#finished = options.finished;
    this.#clock = options.clock;
    this.#maxPerEndpoint = options.maxPerEndpoint;
  }

  put(drafts: readonly DeliveryDraft[]): Put {
    const fresh = new Map<number, FreshDelivery>();
    const createdAt = Math.ceil(this.#clock.now());
    let stored = 0;
    let overflowed = 0;
    let event: DeliveredEvent | null = null;
    let isKept = false;
    for (const draft of drafts) {
      const { endpointId, orderKey } = draft;
      // Those of one event come in a row: it is copied, and written, once.
      if (event?.id !== draft.event.id) {
        event = copyOf(draft.event);
        isKept = false;
      }
      const isOverflow = this.#counts.of(endpointId) >= this.#maxPerEndpoint;
      const sequence = this.#insert(draft, createdAt, isOverflow);
      if (sequence === null) continue;
      if (!isKept) this.#keepEvent(event);
      isKept = true;
      stored += 1;
      if (isOverflow) {
        overflowed += 1;
        this.#finished.add("dead", 1);
      } else {
        this.#counts.add(endpointId, 1);
        fresh.set(sequence, { endpointId, event, orderKey, createdAt });
      }
    }
    return { stored, overflowed, fresh };
  }

  /**
   * Gives those that were not unfinished any more. Written together, it throws when there is one: which it is, only one
   * by one can tell.
   */
  settle(reports: readonly Report[], { together }: { readonly together: boolean }): ReadonlySet<Report> {
    const now = Math.ceil(this.#clock.now());
    const stale = new Set<Report>();
    if (together) {
      const changed = this.#statements.settle.run(reports.flatMap((report) => rowOf(report, now)));
      if (changed !== reports.length) throw new StarcastError("stale_claim", "Expected unfinished deliveries only");
    } else {
      for (const report of reports) if (this.#statements.settle.run(rowOf(report, now)) === 0) stale.add(report);
    }
    for (const report of reports) if (!stale.has(report)) this.#countEnd(report);
    return stale;
  }

  /** Gives the endpoint of each delivery that was. */
  redeliver(selection: DeliverySelection, attempting: readonly number[], dueAt: number): readonly string[] {
    const { sql, values } = whereOf(selection, attempting);
    const rows = this.#driver
      .prepare(
        `SELECT d.sequence, ${textColumn("d.state", "state")}, ${textColumn("d.endpoint_id", "endpoint_id")}, ${textColumn("d.order_key", "order_key")} FROM deliveries d WHERE ${sql} AND d.ended_at IS NOT NULL ORDER BY d.sequence`,
      )
      .all(...values);
    const redelivered: string[] = [];
    for (const row of rows) {
      const endpointId = textOf(row["endpoint_id"]);
      if (this.#counts.of(endpointId) >= this.#maxPerEndpoint) continue;
      const sequence = Number(row["sequence"]);
      this.#statements.redeliver.run(Math.ceil(dueAt), sequence);
      this.#finished.add(textOf(row["state"]) === "dead" ? "dead" : "succeeded", -1);
      this.#counts.add(endpointId, 1);
      this.#settleKey(endpointId, textOrNull(row["order_key"]) ?? undefined, sequence);
      redelivered.push(endpointId);
    }
    return redelivered;
  }

  /** Gives how many. */
  forget(endedBefore: number, limit: number): number {
    return this.#finished.forget(endedBefore, limit);
  }

  /** Gives how many; fewer than `removedPerCommit` when none are left. */
  removeSome(endpointId: string): number {
    const rows = this.#statements.removeSome.all(endpointId, removedPerCommit);
    this.#counts.add(endpointId, -rows.filter((row) => textOf(row["state"]) === "pending").length);
    return this.#finished.drop(rows);
  }

  /** Null when there is one already. */
  #insert({ endpointId, event, dueAt, orderKey }: DeliveryDraft, now: number, isOverflow: boolean): number | null {
    const isBlocked = orderKey !== undefined && this.#statements.olderOfKey.get(endpointId, orderKey) !== undefined;
    const { changes, lastInsertRowid } = this.#statements.insert.run(
      endpointId,
      event.id,
      orderKey ?? null,
      now,
      isOverflow ? "dead" : "pending",
      isOverflow ? null : Math.ceil(dueAt),
      isOverflow ? now : null,
      isOverflow ? "overflow" : null,
      isBlocked ? 1 : 0,
      deliveryChecksum(endpointId, event.id, orderKey, now),
    );
    return changes === 0 ? null : Number(lastInsertRowid);
  }

  #keepEvent({ id, type, subject: given, timestamp, json }: DeliveredEvent): void {
    const subject = given ?? null;
    this.#statements.putEvent.run(id, type, subject, timestamp, checksum([id, type, subject, timestamp], json), json);
  }

  #countEnd({ held: { sequence, delivery }, outcome: { kind } }: Report): void {
    if (kind !== "succeeded" && kind !== "dead") return;
    const { endpointId, orderKey } = delivery;
    this.#counts.add(endpointId, -1);
    this.#finished.add(kind, 1);
    this.#settleKey(endpointId, orderKey, sequence);
  }

  /** After a delivery ended or began again: the oldest unfinished one of its order key can be claimed, no other. */
  #settleKey(endpointId: string, orderKey: string | undefined, sequence: number): void {
    if (orderKey !== undefined) this.#statements.settleKey.run(endpointId, orderKey, sequence);
  }
}

/** What `settle` takes: sequence, state, due_at, ended_at, reason, attempt_count, attempts. */
function rowOf({ held: { sequence, delivery }, outcome }: Report, now: number): readonly SqlValue[] {
  const { attemptCount, attempts } = delivery;
  if (outcome.kind === "released")
    return [sequence, "pending", Math.ceil(outcome.dueAt), null, null, attemptCount, JSON.stringify(attempts)];
  const tried = JSON.stringify(withAttempt(attempts, outcome.attempt));
  if (outcome.kind === "retry")
    return [sequence, "pending", Math.ceil(outcome.dueAt), null, null, attemptCount + 1, tried];
  const reason = outcome.kind === "dead" ? outcome.reason : null;
  return [sequence, outcome.kind, null, now, reason, attemptCount + 1, tried];
}

// What the caller has may be changed by the caller.
function copyOf({ id, type, subject, timestamp, json }: DeliveredEvent): DeliveredEvent {
  return Object.freeze({ id, type, subject, timestamp, json });
}
