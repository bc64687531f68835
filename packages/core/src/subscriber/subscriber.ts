import type { Batch } from "../encoding/batch.ts";
import type { Position } from "../log/position.ts";
import type { Lease } from "../store/checkpoint-store.ts";

/** Why events are missing: retention took them, they are of another epoch, the position is unreadable, or too many to replay. */
export type GapReason = "trimmed" | "epoch" | "unknown" | "replay_limit";

/** Events that will never come: `after` is the last position before them (null if unreadable), `through` the last missing, inclusive. */
export interface Gap {
  readonly after: Position | null;
  readonly through: Position;
  readonly reason: GapReason;
}

/** Why a subscriber is closed by the broker. */
export type CloseReason = "unsubscribed" | "broker_closed" | "subscriber_failed" | "lease_lost";

/** Whatever receives: a connection, a publisher, a function in disguise. All calls come synchronously from the pump. */
export interface Subscriber {
  /** Called before anything else, and again with a new line after a rewind; the earlier line is then dead. */
  open?(line: Line): void;
  /**
   * MUST return how many leading events were taken (0 to `batch.events.length`), MUST NOT block or queue.
   * Fewer than all: nothing more is delivered until `line.ready()`. A throw closes the subscription.
   */
  deliver(batch: Batch): number;
  /** These will never come. The next event is the first that matches after `gap.through`. */
  gap(gap: Gap): void;
  /**
   * A named subscription lost its lease: another holder moves the place now. The line is dead, what is in flight is not
   * this one's any more; `open` comes again when the lease does.
   */
  suspend?(): unknown;
  /** Called once, last; a returned promise is awaited by a draining broker. */
  close(reason: CloseReason): void | Promise<void>;
}

/** A subscriber's way back to the pump. Every call on a line that was rewound or closed is ignored. */
export interface Line {
  /** The place up to which everything was taken, told as a gap, or left out by the filter. */
  readonly position: Position;
  /** Where this line started; `isResumed` when that is exactly where the subscriber asked to continue. */
  readonly start: { readonly position: Position; readonly isResumed: boolean };
  /**
   * The right to move the durable place of a named subscription, for a subscriber that keeps its own work in the same step
   * (`DeliveryStore.put`); null where there is none, or it was lost.
   */
  readonly lease: Lease | null;
  /** There is room again. */
  ready(): void;
  /** Cumulative: everything up to here is done with, and never has to be offered again. `saved`: this place is kept already, by `lease`. */
  acknowledge(through: Position, how?: "saved"): void;
  /** Offer again everything after the last acknowledged position, on a new line. */
  rewind(): void;
}
