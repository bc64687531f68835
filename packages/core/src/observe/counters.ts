import type { ErrorCode } from "../errors.ts";
import type { GapReason } from "../subscriber/subscriber.ts";

/** The classic numbers, summed since the broker was constructed. */
export interface Counts {
  readonly eventsPublished: number;
  /** Positions in gaps, summed over the subscribers that were told, plus refused publications. */
  readonly eventsDropped: number;
  /** The same, by reason. */
  readonly dropped: Readonly<Partial<Record<GapReason | ErrorCode, number>>>;
}

export class Counters {
  #published = 0;
  #dropped = 0;
  readonly #byReason = new Map<GapReason | ErrorCode, number>();

  get eventsPublished(): number {
    return this.#published;
  }

  get eventsDropped(): number {
    return this.#dropped;
  }

  published(count: number): void {
    this.#published += count;
  }

  /** Events lost in a gap, or refused. */
  drop(reason: GapReason | ErrorCode, count: number): void {
    this.#dropped += count;
    this.#byReason.set(reason, (this.#byReason.get(reason) ?? 0) + count);
  }

  counts(): Counts {
    return {
      eventsPublished: this.#published,
      eventsDropped: this.#dropped,
      dropped: Object.fromEntries(this.#byReason),
    };
  }
}
