import type { Scheduler, Timer } from "../clock.ts";

/** What will be tried again later, all of it called off at once. */
export class Retries {
  readonly #scheduler: Scheduler;
  readonly #timers = new Set<Timer>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  after(ms: number, run: () => void): void {
    const timer = this.#scheduler.after(ms, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  cancel(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
