import type { Random, Scheduler, Timer } from "../clock.ts";
import type { Batch } from "../encoding/batch.ts";
import type { LogEvent } from "../event/log-event.ts";
import type { Position } from "../log/position.ts";
import { isThenable } from "../thenable.ts";
import { joinGaps } from "./join-gaps.ts";
import type { CloseReason, Gap, Line, Subscriber } from "./subscriber.ts";

/** A failed event of a named subscription is tried again after 1, 2, 4 ... seconds, at most this. */
export const maxRetryMs = 30_000;

export interface EachEventOptions {
  readonly send: (event: LogEvent) => unknown;
  readonly close: (() => unknown) | undefined;
  readonly suspend?: (() => unknown) | undefined;
  /** A promise is awaited before the next event, as that of `send` is. */
  readonly onGap: ((gap: Gap) => unknown) | undefined;
  /** A named subscription must not pass over an event that failed. */
  readonly isNamed: boolean;
  readonly onFailed: (error: unknown) => void;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/**
 * A function, or `{ send, close }`: each event awaited before the next, acknowledged when it is done. An event that fails
 * is reported; a named subscription then tries it again, others go on with the next. A gap is handled like an event.
 */
export class EachEvent implements Subscriber {
  readonly #options: EachEventOptions;
  // A thousand functions are a thousand objects to fetch: what each event needs lies here.
  readonly #send: (event: LogEvent) => unknown;
  #line: Line | null = null;
  #inFlight: Promise<void> | null = null;
  #nextGap: Gap | null = null;
  #retry: Timer | null = null;
  #failures = 0;
  #isClosed = false;

  constructor(options: EachEventOptions) {
    this.#options = options;
    this.#send = options.send;
  }

  open(line: Line): void {
    this.#line = line;
    this.#nextGap = null;
  }

  deliver(batch: Batch): number {
    if (this.#isBusy) return 0;
    const { events } = batch;
    const send = this.#send;
    let taken = 0;
    for (const event of events) {
      try {
        const result = send(event);
        if (isThenable(result)) {
          this.#passed(events[taken - 1]);
          this.#await(result, { line: this.#line, through: event, before: before(event) });
          return taken + 1;
        }
      } catch (error) {
        this.#options.onFailed(error);
        if (this.#options.isNamed) {
          this.#passed(events[taken - 1]);
          this.#tryAgainLater();
          return taken;
        }
      }
      taken += 1;
      // Closed by its own event: the rest is not its any more.
      if (this.#isClosed) break;
    }
    this.#passed(events[taken - 1]);
    return taken;
  }

  gap(gap: Gap): void {
    // What failed before it comes first, and then this is told again.
    if (this.#retry !== null) return;
    // Acknowledging it now would pass over the event being worked on.
    if (this.#inFlight !== null) this.#nextGap = joinGaps(this.#nextGap, gap);
    else this.#tell(gap);
  }

  suspend(): unknown {
    // What failed or waits is the next holder's, or offered again with the next line.
    this.#line = null;
    this.#retry?.cancel();
    this.#retry = null;
    this.#nextGap = null;
    this.#failures = 0;
    return this.#options.suspend?.();
  }

  async close(_reason: CloseReason): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    // The event being worked on is still acknowledged.
    await this.#inFlight;
    await this.#options.close?.();
  }

  get #isBusy(): boolean {
    return this.#inFlight !== null || this.#retry !== null;
  }

  #tell(gap: Gap): void {
    try {
      const result: unknown = this.#options.onGap?.(gap);
      if (isThenable(result)) return this.#await(result, { line: this.#line, through: gap.through, before: null });
    } catch (error) {
      this.#options.onFailed(error);
      if (this.#options.isNamed) return this.#tryAgainLater();
    }
    this.#line?.acknowledge(gap.through);
  }

  #await(result: PromiseLike<unknown>, work: Work): void {
    // Whatever kind of promise it is: a hostile `then` cannot throw at the pump.
    this.#inFlight = Promise.resolve(result).then(
      () => {
        this.#failures = 0;
        this.#finished(work);
      },
      (error: unknown) => this.#rejected(work, error),
    );
  }

  #finished({ line, through }: Work): void {
    this.#inFlight = null;
    line?.acknowledge(through);
    const gap = this.#nextGap;
    this.#nextGap = null;
    if (gap !== null && !this.#isClosed) this.#tell(gap);
    if (!this.#isBusy) this.#line?.ready();
  }

  #rejected(work: Work, error: unknown): void {
    this.#options.onFailed(error);
    // Of an earlier line: this one offers it again anyway.
    if (!this.#options.isNamed || work.line !== this.#line) return this.#finished(work);
    this.#inFlight = null;
    this.#nextGap = null;
    // It was taken: everything before it is done with, and it has to be offered again.
    if (work.before !== null) work.line?.acknowledge(work.before);
    this.#tryAgainLater();
  }

  #tryAgainLater(): void {
    if (this.#isClosed) return;
    const { scheduler, random } = this.#options;
    const ceiling = Math.min(1_000 * 2 ** Math.min(this.#failures, 10), maxRetryMs);
    this.#failures += 1;
    this.#retry = scheduler.after(ceiling * (0.5 + random.next() / 2), () => {
      this.#retry = null;
      this.#line?.rewind();
    });
  }

  /** The last of those that are done at once; with it, all before. */
  #passed(event: LogEvent | undefined): void {
    if (event === undefined) return;
    this.#failures = 0;
    // An event is a position too.
    this.#line?.acknowledge(event);
  }
}

/** An event or gap whose promise is awaited: where it ends, and up to where everything was done before. */
interface Work {
  readonly line: Line | null;
  readonly through: Position;
  readonly before: Position | null;
}

function before(event: LogEvent): Position {
  return { epoch: event.epoch, offset: event.offset - 1 };
}
