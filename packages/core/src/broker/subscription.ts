import type { Position } from "../log/position.ts";
import type { Filter } from "../pump/filter.ts";
import type { StartingPoint } from "../pump/starting-point.ts";
import type { Gap } from "../subscriber/subscriber.ts";

export type { Filter, StartingPoint };

export interface SubscribeOptions extends Filter {
  /**
   * Several filters of which every one must let an event through: what was asked for, and what a grant allows.
   */
  readonly within?: Filter | undefined;
  /** Until the first subscription or `run`, the place where the broker was constructed; afterwards the head. A named one: its checkpoint. */
  readonly from?: StartingPoint | undefined;
  /** Resuming further back than this is cut short by a gap (`replay_limit`). @default Infinity */
  readonly maxReplayEvents?: number | undefined;
  /** Makes the subscription durable: its position is kept under this name, moved by one holder at a time. */
  readonly name?: string | undefined;
  /** Told of events that will never come; without it the observer is. Only for functions and `{ send, close }`. */
  readonly onGap?: ((gap: Gap) => unknown) | undefined;
}

/** A subscriber's registration. */
export interface Subscription {
  /** The place up to which everything was taken, told or left out; null until the place is known. */
  readonly position: Position | null;
  readonly isClosed: boolean;
  /**
   * From the returned position on the new filter holds. With `after`, the cursor goes there first, so that the past of a
   * wider filter comes too.
   */
  setFilter(filter: Filter & { readonly within?: Filter | undefined }, after?: Position | undefined): Position;
  /** Idempotent; resolves when the subscriber's own `close` has. */
  close(): Promise<void>;
}

export interface PublishOptions {
  /** The key of the thing the event is about. @default what the vocabulary says */
  readonly subject?: string | undefined;
  /**
   * Publishing again with the same key within the dedupe window (5 min) returns the first event; of one that has left the
   * log since, its id and timestamp (`isTrimmed`).
   */
  readonly dedupeKey?: string | undefined;
}
