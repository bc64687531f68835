import type { Clock } from "../clock.ts";
import { StarcastError } from "../errors.ts";
import type { Position } from "../log/position.ts";
import { integer } from "../option-checks.ts";
import { Backlogs } from "./backlogs.ts";
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
import { EndedQueue } from "./ended-queue.ts";
import { attemptsBytes, endOf, isUnfinished, withAttempt, type KeptDelivery } from "./endpoint-backlog.ts";
import { KeptEvents } from "./kept-events.ts";
import type { MemoryCheckpoints } from "./memory-checkpoints.ts";

export interface MemoryDeliveriesOptions {
  readonly clock: Clock;
  /** Where `put` moves the position of its lease, in one step with the deliveries. */
  readonly checkpoints: MemoryCheckpoints;
  /** Unfinished deliveries per endpoint; an hour of 25 events/s. Beyond, dead (`overflow`). @default 100_000 */
  readonly maxPerEndpoint?: number | undefined;
  /** Dead, and succeeded, ones kept; beyond, the oldest are forgotten. @default 100_000 */
  readonly maxFinished?: number | undefined;
  /** All deliveries with their events; beyond, finished ones are forgotten, then the oldest of a backlog far longer than others overflow, then `put` is refused. @default 268_435_456 */
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
  readonly #backlogs = new Backlogs<KeptDelivery>();
  readonly #events = new KeptEvents();
  readonly #finished = { succeeded: new EndedQueue<KeptDelivery>(), dead: new EndedQueue<KeptDelivery>() };
  /** Of deliveries without their events. */
  #bytes = 0;
  /** Given up for room, and not told yet. */
  #givenUp = 0;
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
    // Which are new, and how large, is found out beforehand only where it matters.
    if (!this.#hasRoomFor(drafts.length * deliveryBytes + KeptEvents.boundOf(drafts))) {
      this.#makeRoom(drafts.filter((draft) => !this.#isKnown(draft)));
    }
    let stored = 0;
    let overflowed = 0;
    for (const draft of drafts) {
      // The same may come twice in one call.
      if (this.#isKnown(draft)) continue;
      stored += 1;
      if (this.#add(draft)) overflowed += 1;
    }
    overflowed += this.#givenUp;
    this.#givenUp = 0;
    if (advance !== undefined) await this.#checkpoints.save(advance.lease, advance.position);
    return { stored, overflowed };
  }

  async claimDue(request: ClaimRequest): Promise<readonly Claim[]> {
    const claims: Claim[] = [];
    const leaseUntil = request.now + request.leaseMs;
    this.#backlogs.takeDue(request, (delivery) => void claims.push(this.#claim(delivery, leaseUntil)));
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
    return this.#backlogs.nextDueAt(perEndpoint);
  }

  async get(endpointId: string, eventId: string): Promise<Delivery | null> {
    const delivery = this.#backlogs.get(endpointId)?.deliveries.get(eventId);
    return delivery === undefined ? null : view(delivery);
  }

  async list(
    selection: DeliverySelection,
    page: { readonly limit: number; readonly next?: string | undefined },
  ): Promise<DeliveryPage> {
    return viewPage(pageOf(select(this.#backlogs.all, selection), page));
  }

  async backlog(endpointId: string): Promise<Backlog> {
    return this.#backlogs.get(endpointId)?.summary() ?? { pending: 0, attempting: 0, dead: 0, nextDueAt: null };
  }

  async redeliver(selection: DeliverySelection, dueAt: number): Promise<number> {
    let redelivered = 0;
    for (const delivery of select(this.#backlogs.all, selection)) {
      if (isUnfinished(delivery.state) || delivery.backlog.unfinished >= this.maxPerEndpoint) continue;
      delivery.endedIn?.remove(delivery);
      delivery.attemptCount = 0;
      this.#move(delivery, { kind: "pending", dueAt });
      redelivered += 1;
    }
    return redelivered;
  }

  async forget(endedBefore: number, limit: number): Promise<number> {
    let forgotten = 0;
    for (const finished of [this.#finished.succeeded, this.#finished.dead]) {
      for (let oldest = finished.oldest; oldest !== null; oldest = finished.oldest) {
        if (forgotten >= limit || endOf(oldest.state) >= endedBefore) break;
        this.#forget(oldest);
        forgotten += 1;
      }
    }
    return forgotten;
  }

  async removeEndpoint(endpointId: string): Promise<void> {
    const backlog = this.#backlogs.get(endpointId);
    for (const delivery of backlog?.deliveries.values() ?? []) this.#dismiss(delivery);
    this.#backlogs.remove(endpointId);
  }

  #isKnown({ endpointId, event }: DeliveryDraft): boolean {
    return this.#backlogs.get(endpointId)?.deliveries.has(event.id) === true;
  }

  #makeRoom(drafts: readonly DeliveryDraft[]): void {
    const needed = drafts.length * deliveryBytes + this.#events.bytesOf(drafts.map(({ event }) => event));
    for (const finished of [this.#finished.succeeded, this.#finished.dead]) {
      for (let oldest = finished.oldest; oldest !== null; oldest = finished.oldest) {
        if (this.#hasRoomFor(needed)) return;
        this.#forget(oldest);
      }
    }
    if (this.#isRoomGivenUp(drafts, needed)) return;
    throw new StarcastError(
      "store_full",
      `Expected deliveries of at most ${this.#maxBytes} bytes (maxBytes), got more: the log keeps what does not fit yet`,
    );
  }

  /** What one endpoint does not take must not keep those from theirs that take all: the longest backlog loses its oldest. */
  #isRoomGivenUp(drafts: readonly DeliveryDraft[], needed: number): boolean {
    while (!this.#hasRoomFor(needed)) {
      const oldest = this.#backlogs.farLonger(drafts)?.oldest("pending", givenUpAtOnce) ?? [];
      if (oldest.length === 0) return false;
      for (const delivery of oldest) {
        this.#move(delivery, { kind: "dead", at: this.#clock.now(), reason: "overflow" });
        this.#forget(delivery);
      }
      this.#givenUp += oldest.length;
    }
    return true;
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#bytes + this.#events.bytes + bytes <= this.#maxBytes;
  }

  /** True when it overflowed. */
  #add({ endpointId, event, dueAt, orderKey }: DeliveryDraft): boolean {
    const backlog = this.#backlogs.of(endpointId);
    const createdAt = this.#clock.now();
    const isOverflow = backlog.unfinished >= this.maxPerEndpoint;
    const state: DeliveryState = isOverflow
      ? { kind: "dead", at: createdAt, reason: "overflow" }
      : { kind: "pending", dueAt };
    const copy = this.#events.keep(event);
    this.#sequence += 1;
    this.#bytes += deliveryBytes;
    const delivery: KeptDelivery = {
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
      older: null,
      newer: null,
      endedIn: null,
    };
    backlog.add(delivery);
    if (isOverflow) this.#rememberFinished(delivery);
    return isOverflow;
  }

  #claim(delivery: KeptDelivery, leaseUntil: number): Claim {
    this.#move(delivery, { kind: "attempting", leaseUntil });
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
    const attempts = withAttempt(delivery.attempts, attempt);
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
    if (finished.size > this.#maxFinished && finished.oldest !== null) this.#forget(finished.oldest);
  }

  #forget(delivery: KeptDelivery): void {
    this.#dismiss(delivery);
    delivery.backlog.forget(delivery);
    if (delivery.backlog.deliveries.size === 0) this.#backlogs.remove(delivery.backlog.endpointId);
  }

  /** Gives back what it takes, and its share of the event. */
  #dismiss(delivery: KeptDelivery): void {
    delivery.endedIn?.remove(delivery);
    this.#bytes -= deliveryBytes + attemptsBytes(delivery.attempts);
    this.#events.letGo(delivery.event);
  }
}

// About what one delivery takes beside its event.
const deliveryBytes = 400;

const givenUpAtOnce = 64;
