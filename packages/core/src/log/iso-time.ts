import type { Clock } from "../clock.ts";

/** RFC 3339 time of an event, UTC, milliseconds; never runs backwards within one log. */
export class IsoTime {
  readonly #clock: Clock;
  #at = -1;
  #text = "";

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  // Making the text costs as much as encoding a small event, hence once per millisecond.
  now(): string {
    const at = this.#clock.now();
    if (at > this.#at) {
      this.#at = at;
      this.#text = new Date(at).toISOString();
    }
    return this.#text;
  }
}
