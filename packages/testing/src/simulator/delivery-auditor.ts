import type { Claim, DeliveryDraft, DeliveryStore, Lease, Position } from "@starcast/core";
import { endpointIds } from "./endpoints.ts";
import type { LeaseAuditor } from "./lease-auditor.ts";

interface Known {
  readonly endpointId: string;
  readonly eventId: string;
  readonly orderKey: string | undefined;
  token: number;
  claimedUntil: number;
  isFinished: boolean;
  /** The far side has answered that it has it. */
  isAccepted: boolean;
}

/** Stands before an engine's deliveries: sees what is really stored, claimed and finished. */
export class DeliveryAuditor {
  readonly #leases: LeaseAuditor;
  readonly #report: (problem: string) => void;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();
  /** Puts of which it is being asked what overflowed. */
  #looking = 0;

  constructor(options: {
    readonly leases: LeaseAuditor;
    readonly report: (problem: string) => void;
    readonly now: () => number;
  }) {
    this.#leases = options.leases;
    this.#report = options.report;
    this.#now = options.now;
  }

  get stored(): number {
    return this.#known.size;
  }

  isStored(endpointId: string, eventId: string): boolean {
    return this.#known.has(keyOf(endpointId, eventId));
  }

  /** A receiver has answered 2xx. */
  accepted(endpointId: string, eventId: string): void {
    const known = this.#known.get(keyOf(endpointId, eventId));
    if (known !== undefined) known.isAccepted = true;
  }

  /** A process has begun on what the one before left. */
  async rebooted(deliveries: DeliveryStore, isNewEpoch: boolean): Promise<void> {
    const found = new Set<string>();
    for (const endpointId of endpointIds) {
      const { deliveries: listed } = await deliveries.list({ endpointId }, { limit: 100_000 });
      for (const { event, orderKey, state } of listed.toReversed()) {
        const key = keyOf(endpointId, event.id);
        found.add(key);
        const isFinished = state.kind === "succeeded" || state.kind === "dead";
        const known = this.#known.get(key);
        // A claim may be among what was lost; and where nobody lives who could hold it, an engine may end it.
        if (known !== undefined && (isNewEpoch || state.kind === "pending")) known.claimedUntil = 0;
        if (known === undefined) this.#remember(endpointId, event.id, orderKey).isFinished = isFinished;
        // Finished without an answer: the end came in between.
        else if (isFinished || isNewEpoch) known.isFinished = isFinished;
        else if (known.isFinished) this.#report(`${key}: was finished, and is ${state.kind} after a restart`);
      }
    }
    for (const key of this.#known.keys()) {
      if (found.has(key)) continue;
      if (!isNewEpoch) this.#report(`${key}: was stored, and is gone after a restart`);
      this.#known.delete(key);
    }
  }

  watch(inner: DeliveryStore): DeliveryStore {
    return {
      maxPerEndpoint: inner.maxPerEndpoint,
      canQuery: inner.canQuery,
      put: (drafts, advance) => this.#put(inner, drafts, advance),
      claimDue: async (request) => {
        const claims = await inner.claimDue(request);
        for (const claim of claims) this.#claimed(claim);
        return claims;
      },
      succeed: async (claim, attempt) => {
        await inner.succeed(claim, attempt);
        this.#ended(claim, "succeeded");
      },
      retryAt: async (claim, attempt, dueAt) => {
        await inner.retryAt(claim, attempt, dueAt);
        this.#ended(claim, "put back");
      },
      bury: async (claim, attempt, reason) => {
        await inner.bury(claim, attempt, reason);
        this.#ended(claim, "buried");
      },
      release: async (claim, dueAt) => {
        await inner.release(claim, dueAt);
        this.#released(claim);
      },
      nextDueAt: (perEndpoint) => inner.nextDueAt(perEndpoint),
      get: (endpointId, eventId) => inner.get(endpointId, eventId),
      list: (selection, page) => inner.list(selection, page),
      backlog: (endpointId) => inner.backlog(endpointId),
      redeliver: (selection, dueAt) => inner.redeliver(selection, dueAt),
      forget: (endedBefore, limit) => inner.forget(endedBefore, limit),
      removeEndpoint: (endpointId) => inner.removeEndpoint(endpointId),
    };
  }

  /** At the end of a world, when everything that can be delivered was. */
  async judge(deliveries: DeliveryStore): Promise<void> {
    for (const { endpointId, eventId, isAccepted } of this.#known.values()) {
      const delivery = await deliveries.get(endpointId, eventId);
      const key = keyOf(endpointId, eventId);
      if (delivery === null) this.#report(`${key}: is gone`);
      else if (delivery.state.kind === "succeeded" && !isAccepted) this.#report(`${key}: succeeded without a 2xx`);
      else if (delivery.state.kind === "pending" || delivery.state.kind === "attempting")
        this.#report(`${key}: is ${delivery.state.kind} at the end`);
    }
  }

  async #put(
    inner: DeliveryStore,
    drafts: readonly DeliveryDraft[],
    advance: { readonly lease: Lease; readonly position: Position } | undefined,
  ): Promise<{ readonly stored: number; readonly overflowed: number }> {
    const result = await inner.put(drafts, advance);
    const isOverflown = new Set<DeliveryDraft>();
    if (result.overflowed > 0) {
      this.#looking += 1;
      for (const draft of drafts)
        if ((await inner.get(draft.endpointId, draft.event.id))?.state.kind === "dead") isOverflown.add(draft);
      this.#looking -= 1;
    }
    const before = this.#known.size;
    for (const draft of drafts) {
      const { endpointId, event, orderKey } = draft;
      if (!this.isStored(endpointId, event.id))
        this.#remember(endpointId, event.id, orderKey).isFinished = isOverflown.has(draft);
    }
    // Of those that overflowed, one may have been claimed or put again meanwhile, which says as much.
    if (result.overflowed === 0 && this.#looking === 0 && this.#known.size - before !== result.stored)
      this.#report(`put says that ${result.stored} were new, and ${this.#known.size - before} were`);
    if (advance !== undefined)
      this.#leases.saved(advance.lease, advance.position, this.#leases.objectionTo(advance.lease, advance.position));
    return result;
  }

  #remember(endpointId: string, eventId: string, orderKey: string | undefined): Known {
    const known = {
      endpointId,
      eventId,
      orderKey,
      token: 0,
      claimedUntil: 0,
      isFinished: false,
      isAccepted: false,
    };
    this.#known.set(keyOf(endpointId, eventId), known);
    return known;
  }

  #claimed({ delivery: { endpointId, event, orderKey, state }, token }: Claim): void {
    const key = keyOf(endpointId, event.id);
    const known = this.#known.get(key) ?? this.#remember(endpointId, event.id, orderKey);
    if (known.isFinished) this.#report(`${key}: was claimed after it had finished`);
    if (known.claimedUntil > this.#now()) this.#report(`${key}: was claimed while another claim holds it`);
    if (orderKey !== undefined) {
      for (const other of this.#known.values()) {
        if (other === known) break;
        if (other.endpointId === endpointId && other.orderKey === orderKey && !other.isFinished)
          this.#report(`${key}: was claimed before ${other.eventId} of the same order key had finished`);
      }
    }
    known.token = token;
    known.claimedUntil = state.kind === "attempting" ? state.leaseUntil : 0;
  }

  /** A stale one does nothing. */
  #released({ delivery: { endpointId, event }, token }: Claim): void {
    const known = this.#known.get(keyOf(endpointId, event.id));
    if (known?.token === token) known.claimedUntil = 0;
  }

  #ended({ delivery: { endpointId, event }, token }: Claim, how: "succeeded" | "buried" | "put back"): void {
    const key = keyOf(endpointId, event.id);
    const known = this.#known.get(key);
    if (known === undefined) return this.#report(`${key}: was ${how}, but never stored`);
    if (known.token !== token) this.#report(`${key}: was ${how} by claim ${token} after claim ${known.token}`);
    known.claimedUntil = 0;
    known.isFinished = how !== "put back";
  }
}

function keyOf(endpointId: string, eventId: string): string {
  return `delivery of ${eventId} to ${endpointId}`;
}
