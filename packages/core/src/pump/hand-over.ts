import { StarcastError, describe } from "../errors.ts";
import type { Batch } from "../encoding/batch.ts";
import { EventRun } from "../encoding/run.ts";
import type { Gap } from "../subscriber/subscriber.ts";
import { watchRejection } from "../thenable.ts";
import { CursorLine, type Cursor } from "./cursor.ts";

export interface HandOverOptions {
  readonly epoch: string;
  /** Called once per gap that a subscriber was told. */
  readonly onGap: (cursor: Cursor, gap: Gap) => void;
  /** The subscriber broke its contract; the broker closes it. */
  readonly onFailed: (cursor: Cursor, error: unknown) => void;
}

/**
 * - `all`: everything was taken
 * - `part`: it is full, nothing more until its line is ready
 * - `again`: it is full, and was ready again before it said so
 * - `ended`: it was closed, rewound or sent elsewhere meanwhile
 */
export type Outcome = "all" | "part" | "again" | "ended";

/**
 * Offers in a row of which a subscriber may take nothing while it says it is ready: offered again each turn, it would
 * burn the loop for ever.
 */
export const maxEmptyOffers = 100;

/** Every call to a subscriber's own code while it is subscribed: guarded, and booked on its cursor. */
export class HandOver {
  /**
   * A batch that lives as long as the pump. The others live for a tick, and a collection that meets none forgets the shape
   * of the class, with all optimised code that knows it: measured, the ticks after it take twice as long.
   */
  readonly keptShape: Batch = new EventRun("", 0, 0, [], "").batchAfter(0);
  readonly #options: HandOverOptions;

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  /** Begins a life: a new line, then what has to be said before the first event. */
  open(cursor: Cursor): void {
    if (cursor.line !== null) return;
    const line = new CursorLine(cursor);
    cursor.line = line;
    try {
      this.#watch(cursor, cursor.subscriber.open?.(line));
    } catch (error) {
      this.#options.onFailed(cursor, error);
    }
    const gap = cursor.pendingGap;
    // The line of one that ended in `open` is not cut yet, but it must not be told anything any more.
    if (gap === null || cursor.line !== line || cursor.state === "closed") return;
    cursor.pendingGap = null;
    this.#tell(cursor, gap);
  }

  /** Tells that everything up to `through` will never come, and goes on behind it. */
  skip(cursor: Cursor, through: number): void {
    const { epoch } = this.#options;
    const gap: Gap = {
      after: { epoch, offset: cursor.offset },
      through: { epoch, offset: through },
      reason: "trimmed",
    };
    cursor.offset = through;
    this.#tell(cursor, gap);
  }

  offer(cursor: Cursor, batch: Batch): Outcome {
    const { line, handedOver } = cursor;
    const { events } = batch;
    cursor.isReadyAgain = false;
    cursor.isMoved = false;
    // A subscriber may acknowledge from inside `deliver`.
    cursor.handedOver = Math.max(handedOver, events[events.length - 1]?.offset ?? 0);
    let taken: unknown;
    try {
      taken = cursor.subscriber.deliver(batch);
    } catch (error) {
      this.#options.onFailed(cursor, error);
      return "ended";
    }
    if (typeof taken !== "number") this.#watch(cursor, taken);
    if (cursor.line !== line) return "ended";
    if (typeof taken !== "number" || !Number.isInteger(taken) || taken < 0 || taken > events.length) {
      const error = new StarcastError(
        "subscriber_failed",
        `Expected \`deliver\` to return 0 to ${events.length}, got ${describe(taken)}`,
      );
      this.#options.onFailed(cursor, error);
      return "ended";
    }
    if (taken < events.length && !cursor.isMoved)
      cursor.handedOver = Math.max(handedOver, cursor.acknowledged, events[taken - 1]?.offset ?? 0);
    if (cursor.state === "closed") return "ended";
    if (taken === 0 && cursor.isReadyAgain && !cursor.isMoved) {
      cursor.emptyOffers += 1;
      if (cursor.emptyOffers >= maxEmptyOffers) {
        this.#options.onFailed(cursor, neverTakes());
        return "ended";
      }
    } else if (cursor.emptyOffers > 0) cursor.emptyOffers = 0;
    const isFull = taken < events.length;
    if (!cursor.isMoved) cursor.offset = isFull ? before(batch, taken) : batch.through.offset;
    if (isFull) return cursor.isReadyAgain ? "again" : "part";
    return cursor.isMoved ? "ended" : "all";
  }

  #tell(cursor: Cursor, gap: Gap): void {
    cursor.handedOver = Math.max(cursor.handedOver, gap.through.offset);
    this.#options.onGap(cursor, gap);
    try {
      this.#watch(cursor, cursor.subscriber.gap(gap));
    } catch (error) {
      this.#options.onFailed(cursor, error);
    }
  }

  // Written as an `async` function against its contract: its rejection must not end the process.
  #watch(cursor: Cursor, result: unknown): void {
    if (result !== undefined) watchRejection(result, (error) => this.#options.onFailed(cursor, error));
  }
}

function neverTakes(): StarcastError {
  return new StarcastError(
    "subscriber_failed",
    `Expected a subscriber that is ready to take something, got nothing taken ${maxEmptyOffers} times in a row, each with \`ready()\` inside \`deliver\``,
  );
}

/** The place before event number `index` of a batch. */
function before(batch: Batch, index: number): number {
  return index === 0 ? batch.after.offset : (batch.events[index]?.offset ?? 0) - 1;
}
