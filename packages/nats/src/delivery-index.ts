import {
  Backlogs,
  endOf,
  isUnfinished,
  type Attempt,
  type Backlogged,
  type ClaimRequest,
  type DeliveryState,
} from "@starcast/core";
import type { DeliveryEntry } from "./delivery-entry.ts";

/** A delivery as this process knows it: everything but the event. */
export interface IndexedDelivery extends Backlogged {
  readonly endpointId: string;
  readonly sequence: number;
  revision: number;
  attemptCount: number;
  attempts: readonly Attempt[];
}

/** A delivery to be claimed, and what it was. */
export interface Picked {
  readonly delivery: IndexedDelivery;
  readonly before: DeliveryState;
}

/** What is known here of all deliveries, brought up to date by every change of the bucket, whoever made it. */
export class DeliveryIndex {
  readonly backlogs: Backlogs<IndexedDelivery> = new Backlogs();

  get(endpointId: string, eventId: string): IndexedDelivery | undefined {
    return this.backlogs.get(endpointId)?.deliveries.get(eventId);
  }

  /** Takes a write over, unless a later one is known. */
  apply(entry: DeliveryEntry, revision: number): void {
    const { endpointId, eventId, orderKey, createdAt, state, attemptCount, attempts } = entry;
    const known = this.get(endpointId, eventId);
    if (known !== undefined) {
      if (known.revision >= revision) return;
      known.revision = revision;
      known.attemptCount = attemptCount;
      known.attempts = attempts;
      this.move(known, state);
      return;
    }
    this.backlogs.of(endpointId).add({
      endpointId,
      event: { id: eventId },
      orderKey,
      createdAt,
      sequence: entry.sequence || revision,
      state,
      revision,
      attemptCount,
      attempts,
      dueAt: 0,
      slot: -1,
    });
  }

  move(delivery: IndexedDelivery, state: DeliveryState): void {
    this.backlogs.get(delivery.endpointId)?.move(delivery, state);
  }

  /** Forgets a delivery that was removed, unless it was written again since. */
  drop(endpointId: string, eventId: string, revision: number): void {
    const backlog = this.backlogs.get(endpointId);
    const known = backlog?.deliveries.get(eventId);
    if (backlog === undefined || known === undefined || known.revision >= revision) return;
    // Only what is finished can be forgotten: an endpoint's removal ends what it had.
    if (isUnfinished(known.state)) backlog.move(known, { kind: "succeeded", at: 0 });
    backlog.forget(known);
    if (backlog.deliveries.size === 0) this.backlogs.remove(endpointId);
  }

  /** What may be claimed now, one of each endpoint in turn: a long backlog takes only what the others leave. */
  pick(request: ClaimRequest): readonly Picked[] {
    const picked: Picked[] = [];
    this.backlogs.takeDue(request, (delivery) => {
      picked.push({ delivery, before: delivery.state });
      // Out of the way of the next look; `claimDue` says until when.
      this.move(delivery, { kind: "attempting", leaseUntil: Infinity });
    });
    return picked;
  }

  /** Finished deliveries that ended before, oldest end first. */
  endedBefore(time: number, limit: number): readonly IndexedDelivery[] {
    const ended: IndexedDelivery[] = [];
    for (const backlog of this.backlogs.all.values())
      for (const delivery of backlog.deliveries.values()) if (endOf(delivery.state) < time) ended.push(delivery);
    return ended.toSorted((a, b) => endOf(a.state) - endOf(b.state)).slice(0, limit);
  }
}

/** What the bucket has of it. */
export function entryOf(delivery: IndexedDelivery): DeliveryEntry {
  const { endpointId, event, orderKey, createdAt, sequence, state, attemptCount, attempts } = delivery;
  return { endpointId, eventId: event.id, orderKey, createdAt, sequence, state, attemptCount, attempts };
}
