import { StarcastError, withAttempt, type Clock, type DeliveryDraft, type DeliverySelection } from "@starcast/core";
import { textColumn, textOf, textOrNull } from "./columns.ts";
import type { Report } from "./delivery-reports.ts";
import { whereOf } from "./delivery-rows.ts";
import type { Driver, SqlValue } from "./driver.ts";
import { PutDeliveries, type Put, type PutTools } from "./put-deliveries.ts";

/** Deliveries of a removed endpoint that go in one commit, and those that are delivered again. */
export const deliveriesPerCommit = 1_000;

/** The endpoint of each delivery that is due again, and after which place others may follow. */
export interface Redelivered {
  readonly endpointIds: readonly string[];
  readonly last: number | null;
}

/** What is done to deliveries within a transaction; memory follows when it is committed. */
export class DeliveryWriter {
  readonly #driver: Driver;
  readonly #tools: PutTools;
  readonly #clock: Clock;
  /** Where the next delivery goes. */
  #next: number;

  constructor({ driver, clock, ...tools }: PutTools & { readonly driver: Driver; readonly clock: Clock }) {
    this.#driver = driver;
    this.#clock = clock;
    this.#tools = tools;
    this.#next = Number(tools.statements.newest.get()?.["sequence"]) + 1;
  }

  put(drafts: readonly DeliveryDraft[]): Put {
    const createdAt = Math.ceil(this.#clock.now());
    const put = new PutDeliveries(this.#tools, { next: this.#next, createdAt }).run(drafts);
    // Also where the transaction comes to nothing: places need not be dense.
    this.#next = put.next;
    return put;
  }

  /**
   * Gives those that were not unfinished any more. Written together, it throws when there is one: which it is, only one
   * by one can tell.
   */
  settle(reports: readonly Report[], { together }: { readonly together: boolean }): ReadonlySet<Report> {
    const { statements } = this.#tools;
    const now = Math.ceil(this.#clock.now());
    const stale = new Set<Report>();
    const write = (report: Report, values: SqlValue[]): void => void values.push(...rowOf(report, now));
    if (together) {
      const changed = statements.settle.run(reports, write);
      if (changed !== reports.length) throw new StarcastError("stale_claim", "Expected unfinished deliveries only");
    } else {
      for (const report of reports) if (statements.settle.run([report], write) === 0) stale.add(report);
    }
    for (const report of reports) if (!stale.has(report)) this.#countEnd(report);
    return stale;
  }

  redeliver(
    selection: DeliverySelection,
    {
      attempting,
      dueAt,
      after,
    }: { readonly attempting: readonly number[]; readonly dueAt: number; readonly after: number },
  ): Redelivered {
    const { statements, counts, finished, maxPerEndpoint } = this.#tools;
    const { sql, values } = whereOf(selection, attempting);
    const rows = this.#driver
      .prepare(
        `SELECT d.sequence, ${textColumn("d.state", "state")}, ${textColumn("d.endpoint_id", "endpoint_id")}, ${textColumn("d.order_key", "order_key")} FROM deliveries d WHERE ${sql} AND d.ended_at IS NOT NULL AND d.sequence > ? ORDER BY d.sequence LIMIT ?`,
      )
      .all(...values, after, deliveriesPerCommit);
    const redelivered: string[] = [];
    for (const row of rows) {
      const endpointId = textOf(row["endpoint_id"]);
      if (counts.of(endpointId) >= maxPerEndpoint) continue;
      const sequence = Number(row["sequence"]);
      statements.redeliver.run(Math.ceil(dueAt), sequence);
      finished.add(textOf(row["state"]) === "dead" ? "dead" : "succeeded", -1);
      counts.add(endpointId, 1);
      this.#settleKey(endpointId, textOrNull(row["order_key"]) ?? undefined, sequence);
      redelivered.push(endpointId);
    }
    const last = rows.length < deliveriesPerCommit ? undefined : rows.at(-1);
    return { endpointIds: redelivered, last: last === undefined ? null : Number(last["sequence"]) };
  }

  /** Gives how many. */
  forget(endedBefore: number, limit: number): number {
    return this.#tools.finished.forget(endedBefore, limit);
  }

  /** Gives how many; fewer than `deliveriesPerCommit` when none are left. */
  removeSome(endpointId: string): number {
    const { statements, counts, finished, copies } = this.#tools;
    const rows = statements.removeSome.all(endpointId, deliveriesPerCommit);
    for (const row of rows) {
      const state = textOf(row["state"]);
      if (state === "succeeded" || state === "dead") finished.add(state, -1);
      else counts.add(endpointId, -1);
    }
    copies.drop(rows.map((row) => textOf(row["event_id"])));
    return rows.length;
  }

  #countEnd({ held: { sequence, delivery }, outcome: { kind } }: Report): void {
    if (kind !== "succeeded" && kind !== "dead") return;
    const { endpointId, orderKey } = delivery;
    this.#tools.counts.add(endpointId, -1);
    this.#tools.finished.add(kind, 1);
    this.#settleKey(endpointId, orderKey, sequence);
  }

  /** After a delivery ended or began again: the oldest unfinished one of its order key can be claimed, no other. */
  #settleKey(endpointId: string, orderKey: string | undefined, sequence: number): void {
    if (orderKey !== undefined) this.#tools.statements.settleKey.run(endpointId, orderKey, sequence);
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
