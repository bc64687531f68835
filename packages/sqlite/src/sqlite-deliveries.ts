import {
  StarcastError,
  isStarcastError,
  type Attempt,
  type Backlog,
  type Claim,
  type ClaimRequest,
  type DeadReason,
  type Delivery,
  type DeliveryDraft,
  type DeliveryPage,
  type DeliverySelection,
  type DeliveryStore,
  type Lease,
  type Position,
} from "@starcast/core";
import { BacklogCounts } from "./backlog-counts.ts";
import { DeliveryClaims } from "./delivery-claims.ts";
import { DeliveryReader } from "./delivery-reader.ts";
import { DeliveryReports, staleClaim, type Outcome } from "./delivery-reports.ts";
import { deliveryOf } from "./delivery-rows.ts";
import { prepareDeliveries, type DeliveryStatements } from "./delivery-statements.ts";
import { DeliveryWriter, deliveriesPerCommit, type Redelivered } from "./delivery-writer.ts";
import type { Driver } from "./driver.ts";
import { DueRows } from "./due-rows.ts";
import type { EventCopies } from "./event-copies.ts";
import { FinishedDeliveries } from "./finished-deliveries.ts";
import { FreshDeliveries, type FreshDelivery } from "./fresh-deliveries.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { ResolvedSqliteOptions } from "./options.ts";
import type { SqliteCheckpoints } from "./sqlite-checkpoints.ts";

/**
 * Webhook work in two tables: deliveries, and each event's bytes once. What is due is claimed without a write, so that
 * no attempt waits for a commit; outcomes go with the next one.
 */
export class SqliteDeliveries implements DeliveryStore {
  readonly maxPerEndpoint: number;
  readonly canQuery = true;
  /** Told by the store of every transaction. */
  readonly counts: BacklogCounts;
  readonly finished: FinishedDeliveries;
  readonly #commit: GroupCommit;
  readonly #checkpoints: SqliteCheckpoints;
  readonly #statements: DeliveryStatements;
  readonly #claims: DeliveryClaims;
  readonly #due: DueRows;
  readonly #fresh = new FreshDeliveries();
  readonly #reader: DeliveryReader;
  readonly #writer: DeliveryWriter;
  readonly #reports: DeliveryReports;

  constructor(options: {
    readonly driver: Driver;
    readonly epoch: string;
    readonly commit: GroupCommit;
    readonly checkpoints: SqliteCheckpoints;
    /** Told by the store of every transaction. */
    readonly copies: EventCopies;
    readonly options: ResolvedSqliteOptions;
  }) {
    const { driver, epoch, copies } = options;
    const { maxPerEndpoint, surroundings } = options.options;
    const { clock, random } = surroundings;
    const statements = prepareDeliveries(driver, epoch);
    this.maxPerEndpoint = maxPerEndpoint;
    this.counts = new BacklogCounts(driver);
    this.finished = new FinishedDeliveries(statements, copies, options.options);
    this.#commit = options.commit;
    this.#checkpoints = options.checkpoints;
    this.#statements = statements;
    this.#claims = new DeliveryClaims(Math.floor(random.next() * 2 ** 40));
    this.#due = new DueRows(statements, this.#claims);
    this.#reader = new DeliveryReader({ driver, epoch, statements, claims: this.#claims, due: this.#due });
    const { counts, finished } = this;
    this.#writer = new DeliveryWriter({ driver, statements, counts, finished, copies, clock, maxPerEndpoint });
    this.#reports = new DeliveryReports({
      commit: options.commit,
      writer: this.#writer,
      onEnded: (held) => {
        this.#claims.end(held);
        this.#due.changed(held.delivery.endpointId);
      },
      onFailed: (held) => {
        held.isReported = false;
        this.#due.changed(held.delivery.endpointId);
      },
    });
  }

  async put(
    drafts: readonly DeliveryDraft[],
    advance?: { readonly lease: Lease; readonly position: Position },
  ): Promise<{ readonly stored: number; readonly overflowed: number }> {
    const { stored, overflowed } = await this.#commit.write(
      () => {
        // One transaction: the position never moves without the deliveries, nor they without it.
        if (advance !== undefined) this.#checkpoints.move(advance.lease, advance.position);
        return this.#writer.put(drafts);
      },
      ({ fresh }) => {
        for (const delivery of fresh) {
          this.#fresh.add(delivery);
          this.#due.changed(delivery.endpointId);
        }
      },
      drafts.length,
    );
    return { stored, overflowed };
  }

  async claimDue(request: ClaimRequest): Promise<readonly Claim[]> {
    this.#commit.checkOpen();
    const claims: Claim[] = [];
    const leaseUntil = Math.ceil(request.now + request.leaseMs);
    this.counts.turns.take(request, {
      has: (endpointId) => this.#due.mayHave(endpointId, request.now),
      take: (endpointId) => {
        const claim = this.#claimReadable(endpointId, request, leaseUntil);
        if (claim !== null) claims.push(claim);
        return claim !== null;
      },
    });
    return claims;
  }

  succeed(claim: Claim, attempt: Attempt): Promise<void> {
    return this.#report(claim, { kind: "succeeded", attempt });
  }

  retryAt(claim: Claim, attempt: Attempt, dueAt: number): Promise<void> {
    return this.#report(claim, { kind: "retry", attempt, dueAt });
  }

  bury(claim: Claim, attempt: Attempt, reason: DeadReason): Promise<void> {
    return this.#report(claim, { kind: "dead", attempt, reason });
  }

  async release(claim: Claim, dueAt: number): Promise<void> {
    if (this.#claims.find(claim) !== undefined) await this.#report(claim, { kind: "released", dueAt });
  }

  async nextDueAt(perEndpoint: (endpointId: string) => boolean): Promise<number | null> {
    this.#commit.checkOpen();
    let earliest = Infinity;
    for (const endpointId of this.counts.endpoints)
      if (perEndpoint(endpointId)) earliest = Math.min(earliest, this.#due.nextDueAt(endpointId));
    return earliest === Infinity ? null : earliest;
  }

  async get(endpointId: string, eventId: string): Promise<Delivery | null> {
    return this.#reader.get(endpointId, eventId);
  }

  async list(
    selection: DeliverySelection,
    page: { readonly limit: number; readonly next?: string | undefined },
  ): Promise<DeliveryPage> {
    return this.#reader.list(selection, page);
  }

  async backlog(endpointId: string): Promise<Backlog> {
    return this.#reader.backlog(endpointId);
  }

  async redeliver(selection: DeliverySelection, dueAt: number): Promise<number> {
    let redelivered = 0;
    // In steps, so that no commit takes long.
    for (let after: number | null = 0; after !== null;) {
      const { endpointIds, last }: Redelivered = await this.#redeliverSome(selection, dueAt, after);
      redelivered += endpointIds.length;
      after = last;
    }
    return redelivered;
  }

  forget(endedBefore: number, limit: number): Promise<number> {
    this.#reports.seal();
    return this.#commit.write(() => this.#writer.forget(endedBefore, limit));
  }

  async removeEndpoint(endpointId: string): Promise<void> {
    // In steps, so that no commit takes long.
    for (let removed = deliveriesPerCommit; removed === deliveriesPerCommit;) {
      this.#reports.seal();
      removed = await this.#commit.write(
        () => this.#writer.removeSome(endpointId),
        () => {
          this.#claims.endAll(endpointId);
          this.#due.forget(endpointId);
        },
      );
    }
  }

  #redeliverSome(selection: DeliverySelection, dueAt: number, after: number): Promise<Redelivered> {
    this.#reports.seal();
    return this.#commit.write(
      () => this.#writer.redeliver(selection, { dueAt, after, attempting: this.#claims.sequences() }),
      ({ endpointIds }) => {
        // What was first of its order key may be so no more.
        for (const endpointId of endpointIds) this.#due.forget(endpointId);
      },
    );
  }

  /** Null when the endpoint has nothing due, or nothing that can be read. */
  #claimReadable(endpointId: string, request: ClaimRequest, leaseUntil: number): Claim | null {
    const gone = new Set<number>();
    for (;;) {
      const sequence = this.#takeDue(endpointId, request);
      if (sequence === null) return null;
      try {
        const delivery = this.#read(sequence, request.now, leaseUntil);
        if (delivery === null) {
          // Gone, or reported by whoever had claimed it before; unless the file, asked again, still says that it is due.
          if (gone.has(sequence)) throw damagedIndex(sequence);
          gone.add(sequence);
          continue;
        }
        return this.#claims.hold(delivery, sequence, leaseUntil);
      } catch (error) {
        tellDamaged(endpointId, error, request);
        this.#claims.setAside(endpointId, sequence);
      }
    }
  }

  #takeDue(endpointId: string, request: ClaimRequest): number | null {
    try {
      return this.#due.take(endpointId, request.now);
    } catch (error) {
      tellDamaged(endpointId, error, request);
      this.#due.giveUp(endpointId);
      return null;
    }
  }

  #read(sequence: number, now: number, leaseUntil: number): Delivery | null {
    const fresh = this.#fresh.take(sequence);
    if (fresh !== undefined) return attemptingOf(fresh, leaseUntil);
    const row = this.#statements.dueBySequence.get(sequence, now);
    return row === undefined ? null : deliveryOf(row, () => ({ leaseUntil }));
  }

  /** The claim stands until the outcome is in the file; when it cannot be written, until the lease ends. */
  #report(claim: Claim, outcome: Outcome): Promise<void> {
    const held = this.#claims.find(claim);
    return held === undefined ? Promise.reject(staleClaim(claim)) : this.#reports.add(held, outcome);
  }
}

/** Throws when nobody wants to be told, and what is no damage. */
function tellDamaged(endpointId: string, error: unknown, { onDamaged }: ClaimRequest): void {
  if (onDamaged === undefined || !isStarcastError(error, "store_corrupt")) throw error;
  onDamaged(endpointId, error);
}

function attemptingOf({ endpointId, event, orderKey, createdAt }: FreshDelivery, leaseUntil: number): Delivery {
  return {
    endpointId,
    event,
    orderKey,
    createdAt,
    state: { kind: "attempting", leaseUntil },
    attemptCount: 0,
    attempts: [],
  };
}

function damagedIndex(sequence: number): StarcastError {
  return new StarcastError(
    "store_corrupt",
    `Expected delivery ${sequence} where the file says that it is due, got none: restore a backup with SqliteStore.restore`,
  );
}
