import type { Position } from "../log/position.ts";
import type { Lease } from "../store/checkpoint-store.ts";
import type { Gap, Line, Subscriber } from "../subscriber/subscriber.ts";
import type { FilterGroup } from "./filter-group.ts";
import type { Page } from "./page.ts";
import type { Place, StartingPoint } from "./starting-point.ts";

/** Whose a cursor is. */
export interface CursorOwner {
  /** For the observer: a name, or a number. */
  readonly label: string;
  /** By which the acknowledged place is saved; null where it is not, or another holds it. */
  readonly lease: Lease | null;
  /** Told after each move of the acknowledged place; a named subscription saves it, unless that was done. */
  onAcknowledged(saved: number | null): void;
}

/** Where a cursor was asked to start; judged once the log's bounds are known. */
export interface Asked {
  readonly from: StartingPoint;
  readonly maxReplayEvents: number;
}

/**
 * - `locating`: the engine is asked where it may start
 * - `behind`: ready, offered everything up to the head in the next tick
 * - `reading`: waits for a page of the log, older than the hot window
 * - `live`: at its group's place, moved with the group
 * - `waiting`: took less than it was offered; nothing more until its line is ready
 */
export type CursorState = "locating" | "behind" | "reading" | "live" | "waiting" | "closed";

/** What the pump does for a line. */
export interface CursorControl {
  readonly epoch: string;
  placeOf(cursor: Cursor): number;
  wake(cursor: Cursor): void;
  rewind(cursor: Cursor): void;
}

export interface CursorSpec extends Asked {
  readonly subscriber: Subscriber;
  readonly owner?: CursorOwner | undefined;
}

/**
 * One subscriber's changing place in the log: a few numbers, however slow it is. Only the pump changes it. There are as
 * many as clients: what all have in common is its group's.
 */
export class Cursor {
  // What every offer touches comes first: a cache line less per client and tick (measured: a hundredth of a tick of 1,000).
  readonly subscriber: Subscriber;
  state: CursorState = "locating";
  line: CursorLine | null = null;
  /** The place, unless `live`: then the group's. */
  offset = 0;
  /** The last event or gap handed over; beyond `acknowledged` it is in flight. */
  handedOver = -1;
  /** The tick that last offered something, and whether `ready` was called meanwhile. */
  offeredInTick = 0;
  isReadyAgain = false;
  /** Whether it was sent elsewhere since the last offer began. */
  isMoved = false;
  /** Offers in a row of which it took nothing, and said in the same call that it was ready. */
  emptyOffers = 0;
  readonly owner: CursorOwner | undefined;
  group: FilterGroup;
  /** Everything up to here is done with, and where a rewind goes; -1 while the gap at the start is not acknowledged. */
  acknowledged = -1;
  /** What has to be said before the first event. */
  pendingGap: Gap | null = null;
  /** A page read for this cursor, so that eviction from the shared cache cannot starve it. */
  page: Page | null = null;
  /** While `reading`: calls the read off, so that a log that does not answer holds nobody who has left. */
  cancelRead: (() => void) | null = null;
  /** Where its life begins: what was asked for while `locating`, then the place that was found. */
  #origin: Asked | Place;

  constructor({ subscriber, owner, from, maxReplayEvents }: CursorSpec, group: FilterGroup) {
    this.subscriber = subscriber;
    this.owner = owner;
    this.group = group;
    this.#origin = { from, maxReplayEvents };
  }

  get epoch(): string {
    return this.group.home.epoch;
  }

  get control(): CursorControl {
    return this.group.home;
  }

  get position(): Position {
    return { epoch: this.epoch, offset: this.control.placeOf(this) };
  }

  /** Where it was asked to start; null once it was placed. */
  get asked(): Asked | null {
    return "from" in this.#origin ? this.#origin : null;
  }

  get start(): Line["start"] {
    const { offset, isResumed } = startedAt(this.#origin);
    return { position: { epoch: this.epoch, offset }, isResumed };
  }

  /** The place that may be kept durably, since nothing before it is in flight; null while there is none. */
  get safeOffset(): number | null {
    if (this.acknowledged < 0) return null;
    if (this.handedOver > this.acknowledged) return this.acknowledged;
    // Acknowledged from inside `deliver`, it is ahead of a place that moves when `deliver` returns.
    return Math.max(this.acknowledged, this.control.placeOf(this));
  }

  /** Puts the cursor where its life begins. */
  place(place: Place): void {
    this.#origin = place;
    this.acknowledged = place.gap === null ? place.offset : -1;
    this.goBack();
  }

  /** Back to the last acknowledged place; a gap at the start that was not acknowledged will be told again. */
  goBack(): void {
    const isStartTold = this.acknowledged >= 0;
    this.offset = isStartTold ? this.acknowledged : startedAt(this.#origin).offset;
    this.pendingGap = isStartTold ? null : startedAt(this.#origin).gap;
    this.handedOver = this.acknowledged;
    this.dropPage();
  }

  /** Goes to a past place: what was acknowledged after it under another filter is not under this one. */
  moveTo(offset: number): void {
    this.offset = offset;
    this.isMoved = true;
    // Judged like any other starting point, as soon as the engine has answered.
    if ("from" in this.#origin) this.#origin = { ...this.#origin, from: { epoch: this.epoch, offset } };
    if (offset >= this.acknowledged) return;
    this.acknowledged = offset;
    this.handedOver = offset;
  }

  /** What was read for it, or is being read, is not what it needs next. */
  dropPage(): void {
    this.page = null;
    this.cancelRead?.();
    this.cancelRead = null;
  }
}

// Functions, where methods would do: an object with private methods is larger.
function startedAt(origin: Asked | Place): Place {
  return "from" in origin ? unplaced : origin;
}

const unplaced: Place = { offset: 0, gap: null, isResumed: false };

/** The line of one life of a cursor: after a rewind or the end it is dead, and its calls do nothing. */
export class CursorLine implements Line {
  readonly #cursor: Cursor;

  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  get start(): Line["start"] {
    return this.#cursor.start;
  }

  get position(): Position {
    return this.#cursor.position;
  }

  get lease(): Lease | null {
    return this.#cursor.line === this ? (this.#cursor.owner?.lease ?? null) : null;
  }

  ready(): void {
    if (this.#cursor.line === this) this.#cursor.control.wake(this.#cursor);
  }

  acknowledge(through: Position, how?: "saved"): void {
    const cursor = this.#cursor;
    if (this.#cursor.line !== this || through.epoch !== cursor.epoch) return;
    // No more than was handed over: what was not offered cannot have been dealt with.
    const offset = Math.min(through.offset, cursor.handedOver);
    if (offset <= cursor.acknowledged) return;
    cursor.acknowledged = offset;
    cursor.owner?.onAcknowledged(how === "saved" ? offset : null);
  }

  rewind(): void {
    if (this.#cursor.line === this) this.#cursor.control.rewind(this.#cursor);
  }
}
