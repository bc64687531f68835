import type { EventDraft, StoredEvent } from "../src/event/event.ts";
import type { Appended, EventLog, ReadLimit } from "../src/log/event-log.ts";
import { MemoryLog } from "../src/log/memory-log.ts";

/** An engine that keeps more than the hot window and answers later: what reads it meets what a durable one may do. */
export class AsyncLog implements EventLog {
  readonly durability = "memory" as const;
  readonly isAtomic: boolean;
  readonly #log: MemoryLog;
  readonly #waiting: (() => void)[] = [];
  /** Offsets that were lost in the middle of what is retained. */
  readonly holes: Set<number> = new Set();
  /** Every read, by the offset it began after. */
  readonly reads: number[] = [];
  running = 0;
  mostRunning = 0;
  /** Reads and refreshes that will fail, from the next one on. */
  failing = 0;
  /** Answers wait for `answer()`. */
  isHeld = false;
  /** What this process has not heard of yet: `head` is so much lower than the truth. */
  lag = 0;
  /** Appends wait for `answer()`, too. */
  holdsAppends = false;

  constructor(options: { readonly maxEvents: number; readonly maxBytes?: number; readonly isAtomic?: boolean }) {
    const { maxEvents, maxBytes = Infinity, isAtomic = true } = options;
    this.isAtomic = isAtomic;
    this.#log = new MemoryLog({
      retention: { maxEvents, maxBytes },
      dedupeWindowMs: 1_000,
      maxDedupeKeys: 100,
      clock: { now: () => 0 },
      random: { next: () => 0.5 },
    });
  }

  get epoch(): string {
    return this.#log.epoch;
  }

  get retention(): ReadLimit {
    return this.#log.retention;
  }

  get trimmedThrough(): number {
    return this.#log.trimmedThrough;
  }

  get head(): number {
    return this.#log.head - this.lag;
  }

  async append(drafts: readonly EventDraft[]): Promise<readonly Appended[]> {
    if (this.holdsAppends) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    return this.#log.append(drafts);
  }

  async read(after: number, limit: ReadLimit): Promise<readonly StoredEvent[]> {
    this.reads.push(after);
    await this.#later();
    const events: StoredEvent[] = [];
    for (let from = after; events.length === 0 && from < this.#log.head; from += limit.maxEvents) {
      const stored = await this.#log.read(from, limit);
      events.push(...stored.filter(({ offset }) => !this.holes.has(offset)));
    }
    return events;
  }

  watch(onCommitted: (events: readonly StoredEvent[]) => void): () => void {
    return this.#log.watch(onCommitted);
  }

  async refresh(): Promise<{ readonly trimmedThrough: number; readonly head: number }> {
    await this.#later();
    return this.#log.refresh();
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  /** Lets what waits go on. */
  answer(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #later(): Promise<void> {
    this.running += 1;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    await (this.isHeld
      ? new Promise<void>((resolve) => void this.#waiting.push(resolve))
      : new Promise((resolve) => setImmediate(resolve)));
    this.running -= 1;
    if (this.failing > 0) {
      this.failing -= 1;
      throw new Error("The disk is away");
    }
  }
}
