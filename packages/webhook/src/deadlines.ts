import { steadyClock, type Clock, type Scheduler, type Timer } from "@starcast/core";

export interface DeadlinesOptions<Item> {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** The same for all, so that they fall due in the order in which they were added. */
  readonly ms: number;
  readonly onLate: (item: Item) => void;
}

/** One timer for many things with the same time to live: a timer of its own costs an attempt more than its signature. */
export class Deadlines<Item> {
  readonly #options: DeadlinesOptions<Item>;
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #dueAt = new Map<Item, number>();
  #timer: Timer | null = null;

  constructor(options: DeadlinesOptions<Item>) {
    this.#options = options;
    this.#clock = steadyClock(options.clock);
  }

  add(item: Item): void {
    const { ms } = this.#options;
    this.#dueAt.set(item, this.#clock.now() + ms);
    if (this.#timer === null) this.#arm(ms);
  }

  /** The item ended in time; one that is not there is nothing to remove. */
  remove(item: Item): void {
    this.#dueAt.delete(item);
  }

  /** Nothing is late any more. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#dueAt.clear();
  }

  #arm(ms: number): void {
    this.#timer = this.#options.scheduler.after(ms, () => this.#look());
  }

  #look(): void {
    const { onLate } = this.#options;
    this.#timer = null;
    const now = this.#clock.now();
    for (const [item, dueAt] of this.#dueAt) {
      if (dueAt > now) return this.#arm(dueAt - now);
      this.#dueAt.delete(item);
      onLate(item);
    }
  }
}
