import type { Batch } from "../encoding/batch.ts";
import { StarcastError } from "../errors.ts";
import type { LogEvent } from "../event/log-event.ts";
import { formatPosition } from "../log/position.ts";
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
  readonly onGap: ((gap: Gap) => void) | undefined;
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

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  open(line: Line): void {
    this.#line = line;
    this.#events = [];
    this.#next = 0;
  }

  deliver(batch: Batch): number {
    if (this.#isEnded || this.#next < this.#events.length || this.#gap !== null) return 0;
    this.#events = batch.events.length > maxHandOver ? batch.events.slice(0, maxHandOver) : batch.events;
    this.#next = 0;
    this.#wake();
    return this.#events.length;
  }

  gap(gap: Gap): void {
    if (this.#options.onGap === undefined) {
      // Two gaps without an event between them are one.
      this.#gap = this.#gap === null ? gap : { ...this.#gap, through: gap.through };
      this.#wake();
      return;
    }
    this.#options.onGap(gap);
    this.#line?.acknowledge(gap.through);
  }

  close(): void {
    this.#isEnded = true;
    this.#line = null;
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
      if (this.#gap !== null) throw this.#missed(this.#gap);
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

  #missed(gap: Gap): EventsMissedError {
    this.#gap = null;
    this.#line?.acknowledge(gap.through);
    this.#end();
    return new EventsMissedError(gap);
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#events = [];
    this.#options.onEnd();
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
