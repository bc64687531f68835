import type { LogEvent } from "../event/log-event.ts";
import type { EventRing } from "../log/event-ring.ts";

/** The newest events, whose bytes stay with them: who is a little behind asks for them next. */
export const freshEvents = 1_024;

/**
 * Lets go of the bytes of events that are no longer fresh, once each. The hot window is far larger, and bytes held all
 * through it cost more than making them: the collector carries each of them to the old generation (measured: a sixth of
 * a publication). Who comes later makes them again, and then they stay.
 */
export class FreshBytes {
  readonly #window: EventRing<LogEvent>;
  #forgottenThrough: number;

  constructor(window: EventRing<LogEvent>) {
    this.#window = window;
    this.#forgottenThrough = window.newest;
  }

  /** Everybody who is ready was offered everything up to `head`. */
  advance(head: number): void {
    const through = head - freshEvents;
    let offset = Math.max(this.#forgottenThrough, this.#window.dropped) + 1;
    for (; offset <= through; offset += 1) this.#window.at(offset)?.forgetBytes();
    this.#forgottenThrough = Math.max(this.#forgottenThrough, through);
  }
}
