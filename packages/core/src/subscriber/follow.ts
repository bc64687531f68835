import type { Batch } from "../encoding/batch.ts";
import { StarcastError } from "../errors.ts";
import type { LogEvent } from "../event/log-event.ts";
import { formatPosition } from "../log/position.ts";
import { joinGaps } from "./join-gaps.ts";
import type { Gap, Line, Subscriber } from "./subscriber.ts";

/** Events handed over ahead of the loop's body; the rest waits in the log. */
export const maxHandOver = 256;

/** Thrown into a `follow` loop at the place where events are missing, unless it has an `onGap`. */
export class EventsMissedError extends StarcastError {
  readonly gap: Gap;

  constructor(gap: Gap) {
    const after = gap.after === null ? "an unreadable position" : formatPosition(gap.after);
    super(
      "events_missed",
      `Expected every event, got a gap after ${after} through ${formatPosition(gap.through)} (${gap.reason}): follow again from there, or pass onGap`,
    );
    this.name = "EventsMissedError";
    this.gap = gap;
  }
}

export interface FollowOptions {
  /** Told at the place of the gap: after the event before it was worked on. A promise is awaited. */
  readonly onGap: ((gap: Gap) => unknown) | undefined;
  /** Ends the subscription; called once. */
  readonly onEnd: () => void;
}

/** A subscription as an async iterator: an event is acknowledged when the next one is asked for. */
export class Follow implements Subscriber, AsyncIterableIterator<LogEvent, undefined> {
  readonly #options: FollowOptions;
  readonly #waiting: (() => void)[] = [];
  #line: Line | null = null;
  #events: readonly LogEvent[] = [];
  #next = 0;
  #gap: Gap | null = null;
  #isEnded = false;
  #signal: AbortSignal | undefined;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** Ends at once when the signal is aborted, with what was handed over ahead; lets go of the signal at any end. */
  endWith(signal: AbortSignal | undefined): void {
    if (signal?.aborted === true) return this.#end();
    signal?.addEventListener("abort", this.#abort, { once: true });
    this.#signal = signal;
  }

  open(line: Line): void {
    this.suspend();
    this.#line = line;
  }

  /** What was handed over ahead is offered again, to whoever holds the lease then. */
  suspend(): void {
    this.#line = null;
    this.#events = [];
    this.#next = 0;
    this.#gap = null;
  }

  deliver(batch: Batch): number {
    if (this.#isEnded || this.#next < this.#events.length || this.#gap !== null) return 0;
    this.#events = batch.events.length > maxHandOver ? batch.events.slice(0, maxHandOver) : batch.events;
    this.#next = 0;
    this.#wake();
    return this.#events.length;
  }

  // Said where it belongs: the events before it may still wait to be worked on.
  gap(gap: Gap): void {
    this.#gap = joinGaps(this.#gap, gap);
    this.#wake();
  }

  close(): void {
    this.#isEnded = true;
    this.#line = null;
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#wake();
  }

  async next(): Promise<IteratorResult<LogEvent, undefined>> {
    for (;;) {
      this.#acknowledgeLast();
      const event = this.#events[this.#next];
      if (event !== undefined) {
        this.#next += 1;
        return { done: false, value: event };
      }
      if (this.#gap !== null) {
        await this.#tell(this.#gap);
        continue;
      }
      if (this.#isEnded) return { done: true, value: undefined };
      this.#line?.ready();
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }

  return(): Promise<IteratorResult<LogEvent, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #acknowledgeLast(): void {
    const last = this.#events[this.#next - 1];
    if (last !== undefined) this.#line?.acknowledge({ epoch: last.epoch, offset: last.offset });
  }

  /** A loop is not asked to return when `next` rejects: whatever is thrown here ends the subscription. */
  async #tell(gap: Gap): Promise<void> {
    const { onGap } = this.#options;
    const line = this.#line;
    this.#gap = null;
    try {
      if (onGap === undefined) throw new EventsMissedError(gap);
      await onGap(gap);
    } catch (error) {
      // Thrown, it was told; an `onGap` that failed did not take it.
      if (onGap === undefined) line?.acknowledge(gap.through);
      this.#end();
      throw error;
    }
    line?.acknowledge(gap.through);
  }

  readonly #abort = (): void => this.#end();

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#events = [];
    this.#gap = null;
    this.#options.onEnd();
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
