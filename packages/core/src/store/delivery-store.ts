import type { Position } from "../log/position.ts";
import type { Lease } from "./checkpoint-store.ts";

/** The event of a delivery, in the store's own copy: deliveries outlive the log's retention. */
export interface DeliveredEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string | undefined;
  readonly timestamp: string;
  readonly json: string;
}

/** One event for one endpoint, before it is stored. */
export interface DeliveryDraft {
  readonly endpointId: string;
  readonly event: DeliveredEvent;
  /** Milliseconds since the epoch. */
  readonly dueAt: number;
  /** Of deliveries with the same endpoint and order key only the oldest unfinished one can be claimed. */
  readonly orderKey: string | undefined;
}

/** One try of a delivery, as it is kept. */
export interface Attempt {
  readonly at: number;
  readonly tookMs: number;
  /** What happened, as a stable word: `succeeded`, `timed_out`, `http_500` ... */
  readonly category: string;
  readonly status: number | null;
  /** The beginning of the answer, never a secret. */
  readonly answer: string | null;
}

export type DeadReason = "overflow" | "exhausted" | "endpoint_gone" | "aborted" | "unusable";

export type DeliveryState =
  | { readonly kind: "pending"; readonly dueAt: number }
  | { readonly kind: "attempting"; readonly leaseUntil: number }
  | { readonly kind: "succeeded"; readonly at: number }
  | { readonly kind: "dead"; readonly at: number; readonly reason: DeadReason };

/** One event for one endpoint, over all its tries. */
export interface Delivery {
  readonly endpointId: string;
  readonly event: DeliveredEvent;
  readonly orderKey: string | undefined;
  readonly createdAt: number;
  readonly state: DeliveryState;
  readonly attemptCount: number;
  /** The newest attempts, oldest first; bounded by the engine (`withAttempt`). */
  readonly attempts: readonly Attempt[];
}

/** The right to try one delivery. Every change of the delivery makes older tokens stale. */
export interface Claim {
  readonly delivery: Delivery;
  readonly token: number;
}

export interface ClaimRequest {
  readonly now: number;
  /** At most so many in all. */
  readonly limit: number;
  /** How many of this endpoint may be claimed now; 0 passes over it (paused, busy, limited). Pure while claiming. */
  readonly perEndpoint: (endpointId: string) => number;
  /** Only of these, each named once: the others are as the last call left them. All when left out. */
  readonly endpointIds?: readonly string[] | undefined;
  readonly leaseMs: number;
  /**
   * Told of what an endpoint has due and the engine cannot read: that is set aside, the others go on. Without it, the call
   * rejects with `store_corrupt`.
   */
  readonly onDamaged?: ((endpointId: string, error: unknown) => void) | undefined;
}

export interface DeliverySelection {
  readonly endpointId?: string | undefined;
  readonly eventId?: string | undefined;
  readonly states?: readonly DeliveryState["kind"][] | undefined;
  /** Created at or after, and before, in milliseconds. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** A page of deliveries, newest first; `next` continues it, null at the end. */
export interface DeliveryPage {
  readonly deliveries: readonly Delivery[];
  readonly next: string | null;
}

/** What waits for one endpoint. */
export interface Backlog {
  readonly pending: number;
  readonly attempting: number;
  readonly dead: number;
  /** When the next pending one is due; null if none waits. */
  readonly nextDueAt: number | null;
}

/** Webhook work that must survive a restart. An event's bytes are kept once, until its last delivery is forgotten. */
export interface DeliveryStore {
  /** Unfinished deliveries per endpoint; the next becomes dead (`overflow`) at once. */
  readonly maxPerEndpoint: number;
  /** False where the engine can only list by endpoint. */
  readonly canQuery: boolean;
  /**
   * MUST be idempotent by (event, endpoint), for finished ones too until they are forgotten, and durable when it resolves.
   * With `advance` MUST move the checkpoint only after, or together with, the deliveries, and reject with `lease_lost`
   * when the lease is not the latest. Resolves with how many were new and how many overflowed: of these or, for lack of
   * room, of those that an endpoint had before.
   */
  put(
    drafts: readonly DeliveryDraft[],
    advance?: { readonly lease: Lease; readonly position: Position } | undefined,
  ): Promise<{ readonly stored: number; readonly overflowed: number }>;
  /**
   * MUST give each due delivery to one caller at a time until its lease ends; a claim whose lease ended is due again.
   * MUST NOT let one endpoint's backlog delay another's, and SHOULD look at no more endpoints than the limit takes.
   */
  claimDue(request: ClaimRequest): Promise<readonly Claim[]>;
  /** These three MUST reject with `stale_claim` and change nothing when the delivery was claimed again or finished since. */
  succeed(claim: Claim, attempt: Attempt): Promise<void>;
  retryAt(claim: Claim, attempt: Attempt, dueAt: number): Promise<void>;
  bury(claim: Claim, attempt: Attempt, reason: DeadReason): Promise<void>;
  /** Gives a claim back untried: due at `dueAt`, no attempt counted. A stale claim does nothing. */
  release(claim: Claim, dueAt: number): Promise<void>;
  /** When the earliest unfinished delivery is due (or its lease ends), so that a sleeper knows when to wake; null if none. */
  nextDueAt(perEndpoint: (endpointId: string) => boolean): Promise<number | null>;
  get(endpointId: string, eventId: string): Promise<Delivery | null>;
  list(
    selection: DeliverySelection,
    page: { readonly limit: number; readonly next?: string | undefined },
  ): Promise<DeliveryPage>;
  backlog(endpointId: string): Promise<Backlog>;
  /** Makes finished (dead or succeeded) deliveries of the selection due at `dueAt` again, counting attempts from 0; resolves with how many. */
  redeliver(selection: DeliverySelection, dueAt: number): Promise<number>;
  /** Forgets finished deliveries that ended before, at most `limit` in one call; resolves with how many. */
  forget(endedBefore: number, limit: number): Promise<number>;
  /** Removes every delivery of an endpoint. */
  removeEndpoint(endpointId: string): Promise<void>;
}
