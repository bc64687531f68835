import type { Clock } from "../clock.ts";
import { StarcastError } from "../errors.ts";
import type { Position } from "../log/position.ts";
import { integer } from "../option-checks.ts";
import type { Lease } from "./checkpoint-store.ts";
import type {
  Attempt,
  Backlog,
  Claim,
  ClaimRequest,
  DeadReason,
  Delivery,
  DeliveryDraft,
  DeliveryPage,
  DeliverySelection,
  DeliveryState,
  DeliveryStore,
} from "./delivery-store.ts";
import { pageOf, select, view, viewPage } from "./delivery-page.ts";
import { EndpointBacklog, attemptsBytes, endOf, isUnfinished, type KeptDelivery } from "./endpoint-backlog.ts";
import { KeptEvents } from "./kept-events.ts";
import type { MemoryCheckpoints } from "./memory-checkpoints.ts";

/** Newest attempts kept of each delivery. */
export const maxAttemptsKept = 10;

export interface MemoryDeliveriesOptions {
  readonly clock: Clock;
  /** Where `put` moves the position of its lease, in one step with the deliveries. */
  readonly checkpoints: MemoryCheckpoints;
  /** Unfinished deliveries per endpoint; an hour of 25 events/s. Beyond, dead (`overflow`). @default 100_000 */
  readonly maxPerEndpoint?: number | undefined;
  /** Dead, and succeeded, ones kept; beyond, the oldest are forgotten. @default 100_000 */
  readonly maxFinished?: number | undefined;
  /** All deliveries with their events; beyond, finished ones are forgotten, then `put` is refused. @default 268_435_456 */
  readonly maxBytes?: number | undefined;
}

/** Deliveries in memory: they last as long as the process, as the memory log does. */
export class MemoryDeliveries implements DeliveryStore {
  readonly maxPerEndpoint: number;
  readonly canQuery = true;
  readonly #clock: Clock;
  readonly #checkpoints: MemoryCheckpoints;
  readonly #maxFinished: number;
  readonly #maxBytes: number;
  // Least recently served first, so that with a small `limit` every endpoint has its turn.
  readonly #backlogs = new Map<string, EndpointBacklog<KeptDelivery>>();
  readonly #events = new KeptEvents();
  // In the order in which they ended.
  readonly #finished = { succeeded: new Set<KeptDelivery>(), dead: new Set<KeptDelivery>() };
  /** Of deliveries without their events. */
  #bytes = 0;
  #sequence = 0;
  #token = 0;

  constructor(options: MemoryDeliveriesOptions) {
    this.#clock = options.clock;
    this.#checkpoints = options.checkpoints;
    this.maxPerEndpoint = integer("maxPerEndpoint", options.maxPerEndpoint, 100_000, { min: 1, max: Infinity });
    this.#maxFinished = integer("maxFinished", options.maxFinished, 100_000, { min: 0, max: Infinity });
    this.#maxBytes = integer("maxBytes", options.maxBytes, 268_435_456, { min: 1_024, max: Infinity });
  }

  async put(
    drafts: readonly DeliveryDraft[],
    advance?: { readonly lease: Lease; readonly position: Position },
  ): Promise<{ readonly stored: number; readonly overflowed: number }> {
    if (advance !== undefined && !this.#checkpoints.isHeldBy(advance.lease)) {
      throw new StarcastError(
        "lease_lost",
        `Expected the latest lease of \`${advance.lease.name}\`, got revision ${advance.lease.revision}`,
      );
    }
    const fresh = this.#unknown(drafts);
    this.#makeRoom(fresh);
    const overflowed = fresh.filter((draft) => this.#add(draft)).length;
    if (advance !== undefined) await this.#checkpoints.save(advance.lease, advance.position);
    return { stored: fresh.length, overflowed };
  }

  async claimDue({ now, limit, perEndpoint, leaseMs }: ClaimRequest): Promise<readonly Claim[]> {
    const claims: Claim[] = [];
    let able = [...this.#backlogs.values()]
      .filter((backlog) => backlog.firstDue(now) !== undefined)
      .map((backlog) => ({ backlog, left: perEndpoint(backlog.endpointId) }));
    // One of each in turn: a long backlog takes only what the others leave.
    while (claims.length < limit && able.length > 0) {
      able = able.filter((each) => {
        const delivery = each.left > 0 && claims.length < limit ? each.backlog.firstDue(now) : undefined;
        if (delivery === undefined) return false;
        each.left -= 1;
        claims.push(this.#claim(delivery, now + leaseMs));
        return true;
      });
    }
    return claims;
  }

  async succeed(claim: Claim, attempt: Attempt): Promise<void> {
    this.#finish(this.#tried(claim, attempt), { kind: "succeeded", at: this.#clock.now() });
  }

  async retryAt(claim: Claim, attempt: Attempt, dueAt: number): Promise<void> {
    this.#move(this.#tried(claim, attempt), { kind: "pending", dueAt });
  }

  async bury(claim: Claim, attempt: Attempt, reason: DeadReason): Promise<void> {
    this.#finish(this.#tried(claim, attempt), { kind: "dead", at: this.#clock.now(), reason });
  }

  async release(claim: Claim, dueAt: number): Promise<void> {
    const delivery = this.#claimed(claim);
    if (delivery !== undefined) this.#move(delivery, { kind: "pending", dueAt });
  }

  async nextDueAt(perEndpoint: (endpointId: string) => boolean): Promise<number | null> {
    let earliest: number | null = null;
    for (const { endpointId, nextDueAt } of this.#backlogs.values()) {
      if (nextDueAt === null || (earliest !== null && nextDueAt >= earliest) || !perEndpoint(endpointId)) continue;
      earliest = nextDueAt;
    }
    return earliest;
  }

  async get(endpointId: string, eventId: string): Promise<Delivery | null> {
    const delivery = this.#backlogs.get(endpointId)?.deliveries.get(eventId);
    return delivery === undefined ? null : view(delivery);
  }

  async list(
    selection: DeliverySelection,
    page: { readonly limit: number; readonly next?: string | undefined },
  ): Promise<DeliveryPage> {
    return viewPage(pageOf(select(this.#backlogs, selection), page));
  }

  async backlog(endpointId: string): Promise<Backlog> {
    return this.#backlogs.get(endpointId)?.summary() ?? { pending: 0, attempting: 0, dead: 0, nextDueAt: null };
  }

  async redeliver(selection: DeliverySelection, dueAt: number): Promise<number> {
    let redelivered = 0;
    for (const delivery of select(this.#backlogs, selection)) {
      if (isUnfinished(delivery.state) || delivery.backlog.unfinished >= this.maxPerEndpoint) continue;
      this.#finished.succeeded.delete(delivery);
      this.#finished.dead.delete(delivery);
      delivery.attemptCount = 0;
      this.#move(delivery, { kind: "pending", dueAt });
      redelivered += 1;
    }
    return redelivered;
  }

  async forget(endedBefore: number, limit: number): Promise<number> {
    let forgotten = 0;
    for (const finished of [this.#finished.succeeded, this.#finished.dead]) {
      for (const delivery of finished) {
        if (forgotten >= limit || endOf(delivery.state) >= endedBefore) break;
        this.#forget(delivery);
        forgotten += 1;
      }
    }
    return forgotten;
  }

  async removeEndpoint(endpointId: string): Promise<void> {
    const backlog = this.#backlogs.get(endpointId);
    for (const delivery of backlog?.deliveries.values() ?? []) this.#dismiss(delivery);
    this.#backlogs.delete(endpointId);
  }

  /** The drafts whose delivery is not known, each once. */
  #unknown(drafts: readonly DeliveryDraft[]): readonly DeliveryDraft[] {
    const seen = new Set<string>();
    return drafts.filter(({ endpointId, event }) => {
      const key = `${event.id} ${endpointId}`;
      if (seen.has(key) || this.#backlogs.get(endpointId)?.deliveries.has(event.id) === true) return false;
      seen.add(key);
      return true;
    });
  }

  #makeRoom(drafts: readonly DeliveryDraft[]): void {
    const needed = drafts.length * deliveryBytes + this.#events.bytesOf(drafts.map(({ event }) => event));
    for (const finished of [this.#finished.succeeded, this.#finished.dead]) {
      for (const oldest of finished) {
        if (this.#hasRoomFor(needed)) return;
        this.#forget(oldest);
      }
    }
    if (this.#hasRoomFor(needed)) return;
    throw new StarcastError(
      "store_full",
      `Expected deliveries of at most ${this.#maxBytes} bytes (maxBytes), got more: the log keeps what does not fit yet`,
    );
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#bytes + this.#events.bytes + bytes <= this.#maxBytes;
  }

  /** True when it overflowed. */
  #add({ endpointId, event, dueAt, orderKey }: DeliveryDraft): boolean {
    const backlog = this.#backlogs.get(endpointId) ?? new EndpointBacklog<KeptDelivery>(endpointId);
    this.#backlogs.set(endpointId, backlog);
    const createdAt = this.#clock.now();
    const isOverflow = backlog.unfinished >= this.maxPerEndpoint;
    const state: DeliveryState = isOverflow
      ? { kind: "dead", at: createdAt, reason: "overflow" }
      : { kind: "pending", dueAt };
    const copy = this.#events.keep(event);
    this.#sequence += 1;
    this.#bytes += deliveryBytes;
    const delivery = {
      backlog,
      event: copy,
      orderKey,
      createdAt,
      state,
      token: 0,
      attemptCount: 0,
      attempts: [],
      dueAt,
      sequence: this.#sequence,
      slot: -1,
    };
    backlog.add(delivery);
    if (isOverflow) this.#rememberFinished(delivery);
    return isOverflow;
  }

  #claim(delivery: KeptDelivery, leaseUntil: number): Claim {
    this.#move(delivery, { kind: "attempting", leaseUntil });
    const { backlog } = delivery;
    this.#backlogs.delete(backlog.endpointId);
    this.#backlogs.set(backlog.endpointId, backlog);
    return { delivery: view(delivery), token: delivery.token };
  }

  #claimed(claim: Claim): KeptDelivery | undefined {
    const { endpointId, event } = claim.delivery;
    const delivery = this.#backlogs.get(endpointId)?.deliveries.get(event.id);
    return delivery?.token === claim.token && delivery.state.kind === "attempting" ? delivery : undefined;
  }

  #tried(claim: Claim, attempt: Attempt): KeptDelivery {
    const delivery = this.#claimed(claim);
    if (delivery === undefined) {
      const { endpointId, event } = claim.delivery;
      throw new StarcastError(
        "stale_claim",
        `Expected the latest claim of ${event.id} for \`${endpointId}\`, got one that was claimed again or finished since`,
      );
    }
    const attempts = [...delivery.attempts, Object.freeze({ ...attempt })].slice(-maxAttemptsKept);
    this.#bytes += attemptsBytes(attempts) - attemptsBytes(delivery.attempts);
    delivery.attempts = attempts;
    delivery.attemptCount += 1;
    return delivery;
  }

  #move(delivery: KeptDelivery, state: DeliveryState): void {
    this.#token += 1;
    delivery.token = this.#token;
    delivery.backlog.move(delivery, state);
  }

  #finish(delivery: KeptDelivery, state: DeliveryState): void {
    this.#move(delivery, state);
    this.#rememberFinished(delivery);
  }

  #rememberFinished(delivery: KeptDelivery): void {
    const finished = delivery.state.kind === "dead" ? this.#finished.dead : this.#finished.succeeded;
    finished.add(delivery);
    for (const oldest of finished) {
      if (finished.size <= this.#maxFinished) break;
      this.#forget(oldest);
    }
  }

  #forget(delivery: KeptDelivery): void {
    this.#dismiss(delivery);
    delivery.backlog.forget(delivery);
    if (delivery.backlog.deliveries.size === 0) this.#backlogs.delete(delivery.backlog.endpointId);
  }

  /** Gives back what it takes, and its share of the event. */
  #dismiss(delivery: KeptDelivery): void {
    this.#finished.succeeded.delete(delivery);
    this.#finished.dead.delete(delivery);
    this.#bytes -= deliveryBytes + attemptsBytes(delivery.attempts);
    this.#events.letGo(delivery.event);
  }
}

// About what one delivery takes beside its event.
const deliveryBytes = 400;
