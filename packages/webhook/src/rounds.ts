import type { Scheduler, Timer } from "@starcast/core";

/** Does something now and then, never twice at once: so long after the last time has ended. */
export class Rounds {
  readonly #scheduler: Scheduler;
  readonly #everyMs: number;
  readonly #run: () => Promise<void>;
  #timer: Timer | null = null;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** `run` MUST NOT reject. */
  constructor(scheduler: Scheduler, everyMs: number, run: () => Promise<void>) {
    this.#scheduler = scheduler;
    this.#everyMs = everyMs;
    this.#run = run;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  start(): void {
    if (this.#isClosed) return;
    this.#timer = this.#scheduler.after(this.#everyMs, () => {
      this.#running = this.#run().finally(() => this.start());
    });
  }

  /** Resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#running;
  }
}
