import {
  StarcastError,
  maxAttemptsKept,
  type Attempt,
  type Backlog,
  type Claim,
  type ClaimRequest,
  type Clock,
  type DeadReason,
  type Delivery,
  type DeliveryDraft,
  type DeliveryPage,
  type DeliverySelection,
  type DeliveryStore,
  type Lease,
  type Position,
} from "@starcast/core";
import { checksum } from "./checksum.ts";
import { textColumn, textOf, textOrNull } from "./columns.ts";
import { deliveryColumns, deliveryOf, deliveryTables, whereOf } from "./delivery-rows.ts";
import { prepareDeliveries, type DeliveryStatements } from "./delivery-statements.ts";
import type { Driver, Row } from "./driver.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { SqliteCheckpoints } from "./sqlite-checkpoints.ts";

/** Webhook work in two tables: deliveries, and each event's bytes once. */
export class SqliteDeliveries implements DeliveryStore {
  readonly maxPerEndpoint: number;
  readonly canQuery = true;
  readonly #driver: Driver;
  readonly #commit: GroupCommit;
  readonly #clock: Clock;
  readonly #checkpoints: SqliteCheckpoints;
  readonly #statements: DeliveryStatements;
  // When each endpoint was served last, so that with a small `limit` every one has its turn. As many as have work.
  readonly #servedAt = new Map<string, number>();
  #served = 0;

  constructor(options: {
    readonly driver: Driver;
    readonly commit: GroupCommit;
    readonly clock: Clock;
    readonly checkpoints: SqliteCheckpoints;
    readonly maxPerEndpoint: number;
  }) {
    this.maxPerEndpoint = options.maxPerEndpoint;
    this.#driver = options.driver;
    this.#commit = options.commit;
    this.#clock = options.clock;
    this.#checkpoints = options.checkpoints;
    this.#statements = prepareDeliveries(options.driver);
  }

  put(
    drafts: readonly DeliveryDraft[],
    advance?: { readonly lease: Lease; readonly position: Position },
  ): Promise<{ readonly stored: number; readonly overflowed: number }> {
    return this.#commit.write(() => {
      let stored = 0;
      let overflowed = 0;
      for (const draft of drafts) {
        const outcome = this.#insert(draft);
        if (outcome !== "known") stored += 1;
        if (outcome === "overflow") overflowed += 1;
      }
      // One transaction: the position never moves without the deliveries, nor they without it.
      if (advance !== undefined) this.#checkpoints.move(advance.lease, advance.position);
      return { stored, overflowed };
    });
  }

  claimDue({ now, limit, perEndpoint, leaseMs }: ClaimRequest): Promise<readonly Claim[]> {
    return this.#commit.write(() => {
      const claims: Claim[] = [];
      let able = this.#endpointsDue(now).map((endpointId) => ({ endpointId, left: perEndpoint(endpointId) }));
      // One of each in turn: a long backlog takes only what the others leave.
      while (claims.length < limit && able.length > 0) {
        able = able.filter((each) => {
          const row =
            each.left > 0 && claims.length < limit ? this.#statements.firstDue.get(each.endpointId, now) : undefined;
          if (row === undefined) return false;
          each.left -= 1;
          claims.push(this.#claim(each.endpointId, row, Math.ceil(now + leaseMs)));
          return true;
        });
      }
      return claims;
    });
  }

  succeed(claim: Claim, attempt: Attempt): Promise<void> {
    return this.#commit.write(() => this.#finish(claim, attempt, "succeeded", null));
  }

  retryAt(claim: Claim, attempt: Attempt, dueAt: number): Promise<void> {
    return this.#commit.write(() => {
      const { sequence, attempts, count } = this.#tried(claim, attempt);
      this.#statements.retry.run(Math.ceil(dueAt), count, attempts, sequence);
    });
  }

  bury(claim: Claim, attempt: Attempt, reason: DeadReason): Promise<void> {
    return this.#commit.write(() => this.#finish(claim, attempt, "dead", reason));
  }

  release(claim: Claim, dueAt: number): Promise<void> {
    return this.#commit.write(() => {
      const row = this.#claimed(claim);
      if (row !== undefined) this.#statements.release.run(Math.ceil(dueAt), Number(row["sequence"]));
    });
  }

  async nextDueAt(perEndpoint: (endpointId: string) => boolean): Promise<number | null> {
    let earliest: number | null = null;
    for (const endpointId of this.#endpoints()) {
      const dueAt = this.#statements.nextDue.get(endpointId)?.["due_at"];
      if (typeof dueAt !== "number" || (earliest !== null && dueAt >= earliest) || !perEndpoint(endpointId)) continue;
      earliest = dueAt;
    }
    return earliest;
  }

  async get(endpointId: string, eventId: string): Promise<Delivery | null> {
    const row = this.#statements.one.get(endpointId, eventId);
    return row === undefined ? null : deliveryOf(row);
  }

  async list(
    selection: DeliverySelection,
    { limit, next }: { readonly limit: number; readonly next?: string | undefined },
  ): Promise<DeliveryPage> {
    const { sql, values } = whereOf(selection);
    const before = next === undefined ? Number.MAX_SAFE_INTEGER : Number(next);
    const rows = this.#driver
      .prepare(
        `SELECT ${deliveryColumns} FROM ${deliveryTables} WHERE ${sql} AND d.sequence < ? ORDER BY d.sequence DESC LIMIT ?`,
      )
      .all(...values, before, limit === Infinity ? -1 : limit + 1);
    const page = rows.slice(0, limit);
    const last = page.at(-1);
    return {
      deliveries: page.map(deliveryOf),
      next: rows.length > limit && last !== undefined ? String(Number(last["sequence"])) : null,
    };
  }

  async backlog(endpointId: string): Promise<Backlog> {
    const counts = new Map(
      this.#statements.counts.all(endpointId).map((row) => [textOf(row["kind"]), Number(row["count"])]),
    );
    const dueAt = this.#statements.nextPending.get(endpointId)?.["due_at"];
    return {
      pending: counts.get("pending") ?? 0,
      attempting: counts.get("attempting") ?? 0,
      dead: counts.get("dead") ?? 0,
      nextDueAt: typeof dueAt === "number" ? dueAt : null,
    };
  }

  redeliver(selection: DeliverySelection, dueAt: number): Promise<number> {
    return this.#commit.write(() => {
      const { sql, values } = whereOf(selection);
      const rows = this.#driver
        .prepare(
          `SELECT d.sequence, ${textColumn("d.endpoint_id", "endpoint_id")}, ${textColumn("d.order_key", "order_key")} FROM deliveries d WHERE ${sql} AND d.ended_at IS NOT NULL ORDER BY d.sequence`,
        )
        .all(...values);
      let redelivered = 0;
      for (const row of rows) {
        if (this.#unfinished(textOf(row["endpoint_id"])) >= this.maxPerEndpoint) continue;
        this.#statements.redeliver.run(Math.ceil(dueAt), Number(row["sequence"]));
        this.#settleKey(row);
        redelivered += 1;
      }
      return redelivered;
    });
  }

  forget(endedBefore: number, limit: number): Promise<number> {
    return this.#commit.write(() =>
      this.#dropEvents(this.#statements.forget.all(endedBefore, limit === Infinity ? -1 : limit)),
    );
  }

  async removeEndpoint(endpointId: string): Promise<void> {
    this.#servedAt.delete(endpointId);
    // In steps, so that no commit takes long.
    for (let removed = removedPerCommit; removed === removedPerCommit;) {
      removed = await this.#commit.write(() =>
        this.#dropEvents(this.#statements.removeSome.all(endpointId, removedPerCommit)),
      );
    }
  }

  /** Of deliveries that were deleted: the events nobody needs any more. Gives how many deliveries these were. */
  #dropEvents(deleted: readonly Row[]): number {
    for (const id of new Set(deleted.map((row) => textOf(row["event_id"])))) this.#statements.dropEvent.run(id);
    return deleted.length;
  }

  #insert({ endpointId, event, dueAt, orderKey }: DeliveryDraft): "stored" | "overflow" | "known" {
    if (this.#statements.isKnown.get(endpointId, event.id) !== undefined) return "known";
    const now = Math.ceil(this.#clock.now());
    const { id, type, subject = null, timestamp, json } = event;
    this.#statements.putEvent.run(id, type, subject, timestamp, checksum([id, type, subject, timestamp], json), json);
    const isOverflow = this.#unfinished(endpointId) >= this.maxPerEndpoint;
    const isBlocked = orderKey !== undefined && this.#statements.olderOfKey.get(endpointId, orderKey) !== undefined;
    this.#statements.insert.run(
      endpointId,
      id,
      orderKey ?? null,
      now,
      isOverflow ? "dead" : "pending",
      isOverflow ? null : Math.ceil(dueAt),
      isOverflow ? now : null,
      isOverflow ? "overflow" : null,
      isBlocked ? 1 : 0,
    );
    return isOverflow ? "overflow" : "stored";
  }

  #unfinished(endpointId: string): number {
    return Number(this.#statements.unfinished.get(endpointId)?.["unfinished"] ?? 0);
  }

  /** After a delivery ended or began again: the oldest unfinished one of its order key can be claimed, no other. */
  #settleKey(row: Row): void {
    const orderKey = textOrNull(row["order_key"]);
    if (orderKey === null) return;
    this.#statements.settleKey.run(textOf(row["endpoint_id"]), orderKey, Number(row["sequence"]));
  }

  #claim(endpointId: string, row: Row, leaseUntil: number): Claim {
    const sequence = Number(row["sequence"]);
    this.#statements.claim.run(leaseUntil, sequence);
    this.#served += 1;
    this.#servedAt.set(endpointId, this.#served);
    const claimed = this.#statements.bySequence.get(sequence) ?? row;
    return { delivery: deliveryOf(claimed), token: Number(claimed["token"]) };
  }

  #claimed(claim: Claim): Row | undefined {
    const { endpointId, event } = claim.delivery;
    const row = this.#statements.one.get(endpointId, event.id);
    return row?.["token"] === claim.token && textOf(row["state"]) === "attempting" ? row : undefined;
  }

  #tried(
    claim: Claim,
    attempt: Attempt,
  ): { readonly row: Row; readonly sequence: number; readonly attempts: string; readonly count: number } {
    const row = this.#claimed(claim);
    if (row === undefined) {
      const { endpointId, event } = claim.delivery;
      throw new StarcastError(
        "stale_claim",
        `Expected the latest claim of ${event.id} for \`${endpointId}\`, got one that was claimed again or finished since`,
      );
    }
    const { attempts } = deliveryOf(row);
    return {
      row,
      sequence: Number(row["sequence"]),
      attempts: JSON.stringify([...attempts, attempt].slice(-maxAttemptsKept)),
      count: Number(row["attempt_count"]) + 1,
    };
  }

  #finish(claim: Claim, attempt: Attempt, state: "succeeded" | "dead", reason: DeadReason | null): void {
    const { row, sequence, attempts, count } = this.#tried(claim, attempt);
    this.#statements.finish.run(state, Math.ceil(this.#clock.now()), reason, count, attempts, sequence);
    this.#settleKey(row);
  }

  #endpointsDue(now: number): readonly string[] {
    return this.#endpoints()
      .filter((endpointId) => this.#statements.firstDue.get(endpointId, now) !== undefined)
      .toSorted((a, b) => (this.#servedAt.get(a) ?? 0) - (this.#servedAt.get(b) ?? 0));
  }

  /** Those with unfinished work. */
  #endpoints(): readonly string[] {
    return this.#statements.endpoints.all().map((row) => textOf(row["endpoint_id"]));
  }
}

/** Deliveries of a removed endpoint that go in one commit. */
const removedPerCommit = 1_000;
