import {
  StarcastError,
  isStarcastError,
  isUnfinished,
  withAttempt,
  pageOf,
  select,
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
  type DeliveryState,
  type DeliveryStore,
  type Lease,
  type Position,
} from "@starcast/core";
import type { Bucket, Entry } from "./bucket.ts";
import { DamagedDeliveries } from "./damaged-deliveries.ts";
import type { DeliveredEvents } from "./delivered-events.ts";
import { deliveryKey, encodeDelivery, newEntries, readDeliveryKey, type DeliveryEntry } from "./delivery-entry.ts";
import { DeliveryIndex, entryOf, type IndexedDelivery } from "./delivery-index.ts";
import { inParts, partSize } from "./in-parts.ts";
import type { KvCheckpoints } from "./kv-checkpoints.ts";
import { Markers } from "./markers.ts";

export interface JetStreamDeliveriesOptions {
  readonly bucket: Bucket;
  readonly events: DeliveredEvents;
  readonly checkpoints: KvCheckpoints;
  readonly clock: Clock;
  readonly maxPerEndpoint: number;
}

/**
 * Deliveries in a NATS key-value bucket, shared by every process: each follows the bucket and knows what is due; who may
 * try a delivery is decided by a compare and set on its revision, which is also the token of the claim.
 */
export class JetStreamDeliveries implements DeliveryStore {
  readonly maxPerEndpoint: number;
  readonly canQuery = true;
  readonly #bucket: Bucket;
  readonly #events: DeliveredEvents;
  readonly #checkpoints: KvCheckpoints;
  readonly #clock: Clock;
  readonly #index = new DeliveryIndex();
  readonly #damaged = new DamagedDeliveries();
  readonly #markers: Markers;

  private constructor(options: JetStreamDeliveriesOptions) {
    this.maxPerEndpoint = options.maxPerEndpoint;
    this.#bucket = options.bucket;
    this.#events = options.events;
    this.#checkpoints = options.checkpoints;
    this.#clock = options.clock;
    this.#markers = new Markers(options.bucket, options.clock);
  }

  /** Resolves when all deliveries there are are known here. */
  static async open(options: JetStreamDeliveriesOptions): Promise<JetStreamDeliveries> {
    const store = new JetStreamDeliveries(options);
    for (const entry of await options.bucket.entries()) store.#take(entry);
    await options.bucket.follow((entry) => store.#take(entry));
    return store;
  }

  async put(
    drafts: readonly DeliveryDraft[],
    advance?: { readonly lease: Lease; readonly position: Position },
  ): Promise<{ readonly stored: number; readonly overflowed: number }> {
    if (advance !== undefined) await this.#checkpoints.requireHeld(advance.lease);
    const unknown = this.#unknown(drafts);
    // The bytes first: a delivery without its event could never be made.
    await this.#events.keep(unknown.map(({ event }) => event));
    const entries = newEntries(unknown, this.#clock.now(), (id) => this.maxPerEndpoint - this.#unfinished(id));
    const outcomes = await inParts(entries, (entry) => this.#create(entry));
    if (advance !== undefined) await this.#checkpoints.save(advance.lease, advance.position);
    const stored = outcomes.filter((outcome) => outcome !== null);
    return { stored: stored.length, overflowed: stored.filter(({ kind }) => kind === "dead").length };
  }

  async claimDue(request: ClaimRequest): Promise<readonly Claim[]> {
    this.#damaged.tell(request.onDamaged);
    const picked = this.#index.pick(request);
    const state: DeliveryState = { kind: "attempting", leaseUntil: request.now + request.leaseMs };
    const claims = await Promise.all(
      picked.map(({ delivery, before }) => {
        // Not offered to the next call while this one asks for it.
        this.#index.move(delivery, state);
        return this.#claim(delivery, before, state);
      }),
    );
    if (request.onDamaged !== undefined) this.#damaged.tell(request.onDamaged);
    return claims.filter((claim) => claim !== null);
  }

  async succeed(claim: Claim, attempt: Attempt): Promise<void> {
    await this.#report(claim, attempt, { kind: "succeeded", at: this.#clock.now() });
  }

  async retryAt(claim: Claim, attempt: Attempt, dueAt: number): Promise<void> {
    await this.#report(claim, attempt, { kind: "pending", dueAt });
  }

  async bury(claim: Claim, attempt: Attempt, reason: DeadReason): Promise<void> {
    await this.#report(claim, attempt, { kind: "dead", at: this.#clock.now(), reason });
  }

  async release(claim: Claim, dueAt: number): Promise<void> {
    await this.#writeIfLatest(this.#entryOf(claim, { kind: "pending", dueAt }), claim.token);
  }

  nextDueAt(perEndpoint: (endpointId: string) => boolean): Promise<number | null> {
    return Promise.resolve(this.#index.backlogs.nextDueAt(perEndpoint));
  }

  async get(endpointId: string, eventId: string): Promise<Delivery | null> {
    const delivery = this.#index.get(endpointId, eventId);
    return delivery === undefined ? null : this.#view(delivery);
  }

  async list(
    selection: DeliverySelection,
    options: { readonly limit: number; readonly next?: string | undefined },
  ): Promise<DeliveryPage> {
    const { page, next } = pageOf(select(this.#index.backlogs.all, selection), options);
    const deliveries = await Promise.all(page.map((delivery) => this.#view(delivery).catch(nullIfDamaged)));
    return { deliveries: deliveries.filter((delivery) => delivery !== null), next };
  }

  backlog(endpointId: string): Promise<Backlog> {
    const none = { pending: 0, attempting: 0, dead: 0, nextDueAt: null };
    return Promise.resolve(this.#index.backlogs.get(endpointId)?.summary() ?? none);
  }

  async redeliver(selection: DeliverySelection, dueAt: number): Promise<number> {
    const room = new Map<string, number>();
    const chosen = select(this.#index.backlogs.all, selection).filter(({ endpointId, state }) => {
      if (isUnfinished(state)) return false;
      const unfinished = room.get(endpointId) ?? this.#unfinished(endpointId);
      room.set(endpointId, unfinished + 1);
      return unfinished < this.maxPerEndpoint;
    });
    const revisions = await inParts(chosen, (delivery) =>
      this.#writeIfLatest(
        { ...entryOf(delivery), attemptCount: 0, state: { kind: "pending", dueAt } },
        delivery.revision,
      ),
    );
    return revisions.filter((revision) => revision !== null).length;
  }

  async forget(endedBefore: number, limit: number): Promise<number> {
    await this.#markers.purge(limit);
    const ended = this.#index.endedBefore(endedBefore, limit);
    const forgotten = await inParts(ended, (delivery) => this.#remove(delivery));
    return forgotten.filter(Boolean).length;
  }

  async removeEndpoint(endpointId: string): Promise<void> {
    for (;;) {
      const left = [...(this.#index.backlogs.get(endpointId)?.deliveries.values() ?? [])].slice(0, partSize);
      if (left.length === 0) return;
      await Promise.all(left.map((delivery) => this.#remove(delivery)));
    }
  }

  #take(entry: Entry): void {
    const { key, value, revision } = entry;
    const delivery = value === null ? null : this.#damaged.read(entry, value);
    if (delivery !== null) return this.#index.apply(delivery, revision);
    const named = readDeliveryKey(key);
    if (value === null) this.#markers.left(key, revision);
    if (named !== null) this.#index.drop(named.endpointId, named.eventId, revision);
  }

  /** The drafts whose delivery is not known, each once. */
  #unknown(drafts: readonly DeliveryDraft[]): readonly DeliveryDraft[] {
    const unknown = new Map<string, DeliveryDraft>();
    for (const draft of drafts) {
      const key = deliveryKey(draft.endpointId, draft.event.id);
      if (this.#index.get(draft.endpointId, draft.event.id) === undefined && !unknown.has(key)) unknown.set(key, draft);
    }
    return [...unknown.values()];
  }

  #unfinished(endpointId: string): number {
    return this.#index.backlogs.get(endpointId)?.unfinished ?? 0;
  }

  /** Its state; null when another process has put it before. */
  async #create(entry: DeliveryEntry): Promise<DeliveryState | null> {
    return (await this.#writeIfLatest(entry, 0)) === null ? null : entry.state;
  }

  async #claim(delivery: IndexedDelivery, before: DeliveryState, state: DeliveryState): Promise<Claim | null> {
    const { revision } = delivery;
    try {
      const token = await this.#writeIfLatest({ ...entryOf(delivery), state }, revision);
      if (token === null) {
        // Another process was faster: the bucket tells what became of it, unless it told nothing since the last time.
        if (before.kind === "attempting") await this.#lookAt(delivery);
        return null;
      }
      const view = await this.#view(delivery).catch(nullIfDamaged);
      if (view !== null) return { delivery: { ...view, state }, token };
      // Its bytes are kept no longer, or are others: it can never be made.
      this.#damaged.hasNoEvent(delivery);
      await this.#writeIfLatest(
        { ...entryOf(delivery), state: { kind: "dead", at: this.#clock.now(), reason: "unusable" } },
        token,
      );
      return null;
    } catch (error) {
      if (delivery.revision === revision) this.#index.move(delivery, before);
      throw error;
    }
  }

  async #report(claim: Claim, attempt: Attempt, state: DeliveryState): Promise<void> {
    const { attemptCount, attempts } = claim.delivery;
    const entry = {
      ...this.#entryOf(claim, state),
      attemptCount: attemptCount + 1,
      attempts: withAttempt(attempts, attempt),
    };
    if ((await this.#writeIfLatest(entry, claim.token)) !== null) return;
    const { endpointId, event } = claim.delivery;
    throw new StarcastError(
      "stale_claim",
      `Expected the latest claim of ${event.id} for \`${endpointId}\`, got one that was claimed again or finished since`,
    );
  }

  #entryOf({ delivery, token }: Claim, state: DeliveryState): DeliveryEntry {
    const { endpointId, event, orderKey, createdAt, attemptCount, attempts } = delivery;
    const sequence = this.#index.get(endpointId, event.id)?.sequence ?? token;
    return { endpointId, eventId: event.id, orderKey, createdAt, sequence, state, attemptCount, attempts };
  }

  /** The new revision; null when this was not the newest one any more, and nothing was written. */
  async #writeIfLatest(entry: DeliveryEntry, revision: number): Promise<number | null> {
    try {
      const key = deliveryKey(entry.endpointId, entry.eventId);
      const written = await this.#bucket.put(key, encodeDelivery(entry), revision);
      this.#index.apply(entry, written);
      return written;
    } catch (error) {
      if (isStarcastError(error, "stale_claim")) return null;
      throw error;
    }
  }

  /** False when it is not what it was: then it is known here what it is now. */
  async #remove(delivery: IndexedDelivery): Promise<boolean> {
    const { endpointId, event } = delivery;
    const key = deliveryKey(endpointId, event.id);
    try {
      const removed = await this.#bucket.remove(key, delivery.revision);
      this.#markers.left(key, removed);
      this.#index.drop(endpointId, event.id, removed);
      return true;
    } catch (error) {
      if (!isStarcastError(error, "stale_claim")) throw error;
      await this.#lookAt(delivery);
      return false;
    }
  }

  /** A process that was away for long may have missed the removal, and the mark that it left. */
  async #lookAt({ endpointId, event }: IndexedDelivery): Promise<void> {
    const now = await this.#bucket.get(deliveryKey(endpointId, event.id));
    if (now === null) this.#index.drop(endpointId, event.id, Infinity);
    else this.#take(now);
  }

  async #view(delivery: IndexedDelivery): Promise<Delivery | null> {
    const { endpointId, orderKey, createdAt, state, attemptCount, attempts } = delivery;
    const event = await this.#events.get(delivery.event.id);
    return event === null ? null : { endpointId, event, orderKey, createdAt, state, attemptCount, attempts };
  }
}

function nullIfDamaged(error: unknown): null {
  if (isStarcastError(error, "store_corrupt")) return null;
  throw error;
}
