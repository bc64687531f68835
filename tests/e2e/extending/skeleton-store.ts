import {
  DedupeWindow,
  IsoTime,
  MemoryCheckpoints,
  MemoryDeliveries,
  MemoryRecords,
  StarcastError,
} from "@starcast/core";
import { makeEpoch, type Appended, type EventDraft, type EventLog, type ReadLimit } from "@starcast/core";
import type { Store, StoredEvent, Surroundings } from "@starcast/core";

export interface SkeletonOptions {
  readonly retention: ReadLimit;
  readonly dedupeWindowMs: number;
  readonly maxPerEndpoint?: number;
  readonly surroundings: Surroundings;
}

export class SkeletonLog implements EventLog {
  readonly epoch: string;
  readonly durability = "memory" as const;
  readonly isAtomic = true;
  readonly retention: ReadLimit;
  readonly #time: IsoTime;
  readonly #keys: DedupeWindow;
  readonly #watchers = new Set<(events: readonly StoredEvent[]) => void>();
  #events: StoredEvent[] = [];
  #head = 0;
  #bytes = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor({ retention, dedupeWindowMs, surroundings: { clock, random } }: SkeletonOptions) {
    // Durable: the epoch that was kept, or a new one whenever an acknowledged event may have been lost.
    this.epoch = makeEpoch(random);
    this.retention = retention;
    this.#time = new IsoTime(clock);
    this.#keys = new DedupeWindow({ clock, windowMs: dedupeWindowMs, maxKeys: 100_000 });
  }

  get head(): number {
    return this.#head;
  }

  get trimmedThrough(): number {
    return (this.#events[0]?.offset ?? this.#head + 1) - 1;
  }

  append(drafts: readonly EventDraft[]): Promise<readonly Appended[]> {
    if (this.#isClosed) return Promise.reject(closed());
    const appended = this.#tail.then(() => this.#commit(drafts));
    this.#tail = appended.catch(() => undefined);
    return appended;
  }

  async read(after: number, { maxEvents, maxBytes }: ReadLimit): Promise<readonly StoredEvent[]> {
    if (this.#isClosed) throw closed();
    const first = Math.max(0, after - this.trimmedThrough);
    let bytes = 0;
    const found: StoredEvent[] = [];
    for (const event of this.#events.slice(first, first + maxEvents)) {
      bytes += event.sizeBytes;
      if (bytes > maxBytes && found.length > 0) break;
      found.push(event);
    }
    return found;
  }

  watch(onCommitted: (events: readonly StoredEvent[]) => void): () => void {
    const watcher = (events: readonly StoredEvent[]): void => onCommitted(events);
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  async refresh(): Promise<{ readonly trimmedThrough: number; readonly head: number }> {
    return { trimmedThrough: this.trimmedThrough, head: this.#head };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#tail;
    this.#watchers.clear();
  }

  async #commit(drafts: readonly EventDraft[]): Promise<readonly Appended[]> {
    this.#keys.reserve(drafts.filter(({ dedupeKey }) => dedupeKey !== undefined).length);
    const fresh: StoredEvent[] = [];
    const appended = drafts.map((draft): Appended => {
      const { dedupeKey, ...facts } = draft;
      const known = dedupeKey === undefined ? undefined : this.#keys.find(dedupeKey);
      if (known !== undefined) return known;
      const event = { ...facts, offset: this.#head + fresh.length + 1, timestamp: this.#time.now() };
      const position = { epoch: this.epoch, offset: event.offset };
      const first = { position, timestamp: event.timestamp, isDuplicate: false };
      if (dedupeKey !== undefined) this.#keys.remember(dedupeKey, first);
      fresh.push(event);
      return first;
    });
    // Durable: await here that they are kept, all or none; a failure takes the dedupe keys back and throws `store_failed`.
    this.#events.push(...fresh);
    this.#head += fresh.length;
    this.#bytes += fresh.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#trim();
    // The head has moved; nobody was told that it resolved.
    if (fresh.length > 0) for (const watcher of this.#watchers) watcher(fresh);
    return appended;
  }

  #trim(): void {
    const { maxEvents, maxBytes } = this.retention;
    let count = 0;
    while (this.#events.length - count > 1 && (this.#events.length - count > maxEvents || this.#bytes > maxBytes)) {
      this.#bytes -= this.#events[count]?.sizeBytes ?? 0;
      count += 1;
    }
    this.#events = this.#events.slice(count);
  }
}

export class SkeletonStore implements Store {
  readonly log: SkeletonLog;
  readonly checkpoints: MemoryCheckpoints;
  readonly deliveries: MemoryDeliveries;
  readonly records: MemoryRecords = new MemoryRecords();

  constructor(options: SkeletonOptions) {
    const { clock } = options.surroundings;
    this.log = new SkeletonLog(options);
    this.checkpoints = new MemoryCheckpoints({ clock });
    this.deliveries = new MemoryDeliveries({
      clock,
      checkpoints: this.checkpoints,
      maxPerEndpoint: options.maxPerEndpoint,
    });
  }

  close(): Promise<void> {
    return this.log.close();
  }
}

function closed(): StarcastError {
  return new StarcastError("log_closed", "Expected an open log, got one that was closed");
}
