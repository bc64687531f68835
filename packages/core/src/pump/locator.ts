import type { Scheduler } from "../clock.ts";
import type { EventLog } from "../log/event-log.ts";
import { readRetryMs } from "./catch-up.ts";
import type { Cursor } from "./cursor.ts";
import { Retries } from "./retries.ts";
import { locate, type LogBounds, type Place } from "./starting-point.ts";

/** Finds where a new cursor starts; asks the engine first when its position is past the head known here. */
export class Locator {
  readonly #log: EventLog;
  readonly #retries: Retries;
  readonly #onFailed: (after: number, error: unknown) => void;
  #lastPlace: Place | null = null;

  constructor(options: {
    readonly log: EventLog;
    readonly scheduler: Scheduler;
    readonly onFailed: (after: number, error: unknown) => void;
  }) {
    this.#log = options.log;
    this.#retries = new Retries(options.scheduler);
    this.#onFailed = options.onFailed;
  }

  /** Places the cursor and calls back, at once if it can; never for a cursor closed meanwhile. */
  place(cursor: Cursor, onPlaced: () => void): void {
    this.#try(cursor, onPlaced, null);
  }

  close(): void {
    this.#retries.cancel();
  }

  #try(cursor: Cursor, onPlaced: () => void, fresh: Pick<LogBounds, "trimmedThrough" | "head"> | null): void {
    if (cursor.state !== "locating") return;
    const { asked } = cursor;
    if (asked === null) return;
    const { epoch, trimmedThrough, head } = this.#log;
    const place = locate(
      asked.from,
      // The engine may know of events that have not come here yet.
      {
        epoch,
        trimmedThrough: Math.max(trimmedThrough, fresh?.trimmedThrough ?? 0),
        head: Math.max(head, fresh?.head ?? 0),
      },
      { maxReplayEvents: asked.maxReplayEvents, isFresh: fresh !== null },
    );
    if (place !== null) {
      cursor.place(this.#shared(place));
      onPlaced();
      return;
    }
    this.#log.refresh().then(
      (answer) => this.#try(cursor, onPlaced, answer),
      (error: unknown) => {
        if (cursor.state !== "locating") return;
        this.#onFailed(head, error);
        this.#retries.after(readRetryMs, () => this.#try(cursor, onPlaced, null));
      },
    );
  }

  // Clients that come for what is new mostly come to the same place; each would keep its own.
  #shared(place: Place): Place {
    const last = this.#lastPlace;
    const isSame = last?.offset === place.offset && last.gap === null && place.gap === null;
    if (isSame && last.isResumed === place.isResumed) return last;
    this.#lastPlace = place;
    return place;
  }
}
