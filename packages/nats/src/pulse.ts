import type { Scheduler, Timer } from "@starcast/core";
import type { NatsLink } from "./nats-link.ts";

export interface PulseOptions {
  readonly link: NatsLink;
  readonly scheduler: Scheduler;
  /** Asks the stream how far it is; rejects when there is no answer. */
  readonly ask: () => Promise<unknown>;
}

/** Looks at a stream that nobody here follows, so that what is known of it is at most so old. */
export class Pulse {
  readonly #options: PulseOptions;
  readonly #forgetBack: () => void;
  #timer: Timer | null = null;
  #isAsking = false;
  #isSilent = false;
  #isClosed = false;

  constructor(options: PulseOptions) {
    this.#options = options;
    this.#forgetBack = options.link.onBack(() => this.#beat());
    this.#wait();
  }

  /** True from when JetStream did not answer for a while until it does: it stands still, or the stream has no leader. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  close(): void {
    this.#isClosed = true;
    this.#forgetBack();
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer?.cancel();
    this.#timer = this.#options.scheduler.after(pulseMs, () => this.#beat());
  }

  #beat(): void {
    if (this.#isClosed) return;
    this.#wait();
    // Not answered for as long as it takes to ask again.
    if (this.#isAsking) this.#isSilent = true;
    else if (!this.#options.link.isAway) void this.#ask();
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      await this.#options.ask();
      this.#isSilent = false;
    } catch {
      // Asked again with the next beat.
      this.#isSilent = true;
    }
    this.#isAsking = false;
  }
}

/** What others published is known this late at most, where nobody follows the stream. */
export const pulseMs = 1_000;
