import type { Attempt, Backlog, DeliveredEvent, DeliveryState } from "./delivery-store.ts";
import { DueQueue, type Queued } from "./due-queue.ts";
import type { Ending } from "./ended-queue.ts";
import { OrderLane } from "./order-lane.ts";

/** One delivery as far as a backlog is concerned; only its backlog moves it from state to state. */
export interface Backlogged extends Queued {
  readonly event: { readonly id: string };
  readonly orderKey: string | undefined;
  readonly createdAt: number;
  state: DeliveryState;
}

/** One delivery as the in-memory engine keeps it. */
export interface KeptDelivery extends Backlogged, Ending<KeptDelivery> {
  readonly backlog: EndpointBacklog<KeptDelivery>;
  readonly event: DeliveredEvent;
  /** Token of the claim that may report; every change gives another. */
  token: number;
  attemptCount: number;
  attempts: readonly Attempt[];
}

/** The deliveries of one endpoint: what is due, what is being tried, and which must wait for an older one. */
export class EndpointBacklog<Item extends Backlogged> {
  readonly endpointId: string;
  /** By event id, oldest first. */
  readonly deliveries: Map<string, Item> = new Map();
  readonly #counts: Record<DeliveryState["kind"], number> = { pending: 0, attempting: 0, succeeded: 0, dead: 0 };
  readonly #pending = new DueQueue<Item>();
  readonly #leased = new DueQueue<Item>();
  readonly #lanes = new Map<string, OrderLane<Item>>();

  constructor(endpointId: string) {
    this.endpointId = endpointId;
  }

  get unfinished(): number {
    return this.#counts.pending + this.#counts.attempting;
  }

  /** When the next delivery is due or its lease ends; null when nothing is unfinished. */
  get nextDueAt(): number | null {
    return this.#first()?.dueAt ?? null;
  }

  summary(): Backlog {
    const { pending, attempting, dead } = this.#counts;
    return { pending, attempting, dead, nextDueAt: this.#pending.first?.dueAt ?? null };
  }

  /** What can be claimed first: due, or held by a claim whose lease ended. */
  firstDue(now: number): Item | undefined {
    const first = this.#first();
    return first !== undefined && first.dueAt <= now ? first : undefined;
  }

  /** The first so many in that state, in order of age. */
  oldest(kind: DeliveryState["kind"], limit: number): readonly Item[] {
    const found: Item[] = [];
    for (const delivery of this.deliveries.values()) {
      if (found.length >= limit) break;
      if (delivery.state.kind === kind) found.push(delivery);
    }
    return found;
  }

  add(delivery: Item): void {
    this.deliveries.set(delivery.event.id, delivery);
    this.#counts[delivery.state.kind] += 1;
    if (isUnfinished(delivery.state)) this.#open(delivery);
  }

  move(delivery: Item, state: DeliveryState): void {
    const wasUnfinished = isUnfinished(delivery.state);
    this.#counts[delivery.state.kind] -= 1;
    this.#counts[state.kind] += 1;
    this.#unqueue(delivery);
    delivery.state = state;
    if (isUnfinished(state)) {
      if (wasUnfinished) this.#queue(delivery);
      else this.#open(delivery);
    } else if (wasUnfinished) this.#leaveLane(delivery);
  }

  /** Only for finished ones. */
  forget(delivery: Item): void {
    this.#counts[delivery.state.kind] -= 1;
    this.deliveries.delete(delivery.event.id);
  }

  #open(delivery: Item): void {
    const { orderKey } = delivery;
    if (orderKey !== undefined) {
      const lane = this.#lanes.get(orderKey) ?? new OrderLane<Item>();
      this.#lanes.set(orderKey, lane);
      const { head } = lane;
      lane.add(delivery);
      if (head !== undefined && lane.head === delivery) this.#unqueue(head);
    }
    this.#queue(delivery);
  }

  #leaveLane(delivery: Item): void {
    const lane = delivery.orderKey === undefined ? undefined : this.#lanes.get(delivery.orderKey);
    if (lane === undefined || delivery.orderKey === undefined) return;
    const wasHead = lane.head === delivery;
    lane.remove(delivery);
    if (lane.size === 0) this.#lanes.delete(delivery.orderKey);
    else if (wasHead && lane.head !== undefined) this.#queue(lane.head);
  }

  #queue(delivery: Item): void {
    const { orderKey, state } = delivery;
    if (orderKey !== undefined && this.#lanes.get(orderKey)?.head !== delivery) return;
    if (state.kind === "pending") {
      delivery.dueAt = state.dueAt;
      this.#pending.add(delivery);
    } else if (state.kind === "attempting") {
      delivery.dueAt = state.leaseUntil;
      this.#leased.add(delivery);
    }
  }

  // Asked several times for each claim: nothing is allocated.
  #first(): Item | undefined {
    const pending = this.#pending.first;
    const leased = this.#leased.first;
    if (leased === undefined || pending === undefined) return pending ?? leased;
    return pending.dueAt < leased.dueAt ? pending : leased;
  }

  #unqueue(delivery: Item): void {
    this.#pending.remove(delivery);
    this.#leased.remove(delivery);
  }
}

export function isUnfinished(state: DeliveryState): boolean {
  return state.kind === "pending" || state.kind === "attempting";
}

/** When it ended; never, while it is unfinished. */
export function endOf(state: DeliveryState): number {
  return state.kind === "succeeded" || state.kind === "dead" ? state.at : Infinity;
}

/** Newest attempts kept of each delivery. */
export const maxAttemptsKept = 10;

/** The newest attempts, this one the last; a copy of it. */
export function withAttempt(before: readonly Attempt[], attempt: Attempt): readonly Attempt[] {
  const { at, tookMs, category, status, answer } = attempt;
  const kept = { at, tookMs, category, status, answer };
  return before.length === 0 ? [kept] : [...before, kept].slice(-maxAttemptsKept);
}

/** About what the attempts of a delivery take. */
export function attemptsBytes(attempts: readonly Attempt[]): number {
  return attempts.reduce((bytes, { answer }) => bytes + 100 + (answer?.length ?? 0), 0);
}
