import type { Random, Scheduler, Timer } from "../clock.ts";
import type { Batch } from "../encoding/batch.ts";
import type { LogEvent } from "../event/log-event.ts";
import type { Position } from "../log/position.ts";
import type { CloseReason, Gap, Line, Subscriber } from "./subscriber.ts";

/** A failed event of a named subscription is tried again after 1, 2, 4 ... seconds, at most this. */
export const maxRetryMs = 30_000;

export interface EachEventOptions {
  readonly send: (event: LogEvent) => unknown;
  readonly close: (() => unknown) | undefined;
  readonly onGap: ((gap: Gap) => void) | undefined;
  /** A named subscription must not pass over an event that failed. */
  readonly isNamed: boolean;
  readonly onFailed: (error: unknown) => void;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

/**
 * A function, or `{ send, close }`: each event awaited before the next, acknowledged when it is done. An event that fails
 * is reported; a named subscription then tries it again, others go on with the next.
 */
export class EachEvent implements Subscriber {
  readonly #options: EachEventOptions;
  #line: Line | null = null;
  #inFlight: Promise<void> | null = null;
  #retry: Timer | null = null;
  #failures = 0;
  #isClosed = false;

  constructor(options: EachEventOptions) {
    this.#options = options;
  }

  open(line: Line): void {
    this.#line = line;
  }

  deliver(batch: Batch): number {
    if (this.#inFlight !== null || this.#retry !== null) return 0;
    const { events } = batch;
    const { send, isNamed } = this.#options;
    let taken = 0;
    for (const event of events) {
      try {
        const result = send(event);
        taken += 1;
        if (isThenable(result)) {
          this.#await(event, result);
          return taken;
        }
      } catch (error) {
        this.#options.onFailed(error);
        if (isNamed) {
          this.#acknowledge(events[taken - 1]);
          this.#tryAgainLater();
          return taken;
        }
        taken += 1;
      }
      // Closed by its own event: the rest is not its any more.
      if (this.#isClosed) {
        this.#acknowledge(event);
        return taken;
      }
    }
    this.#failures = 0;
    this.#acknowledge(events.at(-1));
    return taken;
  }

  gap(gap: Gap): void {
    this.#options.onGap?.(gap);
    this.#line?.acknowledge(gap.through);
  }

  async close(_reason: CloseReason): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    // The event being worked on is still acknowledged.
    await this.#inFlight;
    this.#retry?.cancel();
    await this.#options.close?.();
  }

  #await(event: LogEvent, result: PromiseLike<unknown>): void {
    // Whatever kind of promise it is: a hostile `then` cannot throw at the pump.
    this.#inFlight = Promise.resolve(result).then(
      () => this.#finished(event),
      (error: unknown) => this.#rejected(event, error),
    );
  }

  #finished(event: LogEvent): void {
    this.#inFlight = null;
    this.#failures = 0;
    this.#acknowledge(event);
    this.#line?.ready();
  }

  #rejected(event: LogEvent, error: unknown): void {
    this.#inFlight = null;
    this.#options.onFailed(error);
    if (!this.#options.isNamed) {
      this.#acknowledge(event);
      this.#line?.ready();
      return;
    }
    // It was taken: everything before it is done with, and it has to be offered again.
    this.#line?.acknowledge(before(event));
    this.#tryAgainLater();
  }

  #tryAgainLater(): void {
    const { scheduler, random } = this.#options;
    const ceiling = Math.min(1_000 * 2 ** Math.min(this.#failures, 10), maxRetryMs);
    this.#failures += 1;
    this.#retry = scheduler.after(ceiling * (0.5 + random.next() / 2), () => {
      this.#retry = null;
      this.#line?.rewind();
    });
  }

  #acknowledge(event: LogEvent | undefined): void {
    if (event !== undefined) this.#line?.acknowledge({ epoch: event.epoch, offset: event.offset });
  }
}

function before(event: LogEvent): Position {
  return { epoch: event.epoch, offset: event.offset - 1 };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
