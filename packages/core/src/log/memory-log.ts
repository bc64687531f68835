import type { Clock, Random } from "../clock.ts";
import { StarcastError } from "../errors.ts";
import type { EventDraft, StoredEvent } from "../event/event.ts";
import { LogEvent } from "../event/log-event.ts";
import { checkListFits } from "./check-list-fits.ts";
import { DedupeWindow } from "./dedupe-window.ts";
import type { Appended, EventLog, ReadLimit } from "./event-log.ts";
import { EventRing } from "./event-ring.ts";
import { IsoTime } from "./iso-time.ts";

export interface MemoryLogOptions {
  readonly retention: ReadLimit;
  readonly dedupeWindowMs: number;
  readonly maxDedupeKeys: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** The reference engine: keeps the newest events in memory; nothing survives the process, hence a new epoch each time. */
export class MemoryLog implements EventLog {
  readonly epoch: string;
  readonly durability = "memory" as const;
  readonly isAtomic = true;
  readonly retention: ReadLimit;
  readonly #ring: EventRing<LogEvent>;
  readonly #time: IsoTime;
  readonly #dedupe: DedupeWindow;
  readonly #watchers = new Set<Watcher>();
  /** Committed by a watcher, from inside its call: told when everybody has seen what came before. */
  #untold: LogEvent[] = [];
  #isTelling = false;
  #isClosed = false;

  constructor(options: MemoryLogOptions) {
    this.epoch = makeEpoch(options.random);
    this.retention = options.retention;
    this.#ring = new EventRing(options.retention, 0);
    this.#time = new IsoTime(options.clock);
    this.#dedupe = new DedupeWindow({
      clock: options.clock,
      windowMs: options.dedupeWindowMs,
      maxKeys: options.maxDedupeKeys,
    });
  }

  get trimmedThrough(): number {
    return this.#ring.dropped;
  }

  get head(): number {
    return this.#ring.newest;
  }

  append(drafts: readonly EventDraft[]): Promise<readonly Appended[]> {
    try {
      if (this.#isClosed) throw closed();
      return Promise.resolve(this.#commitAll(drafts));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  commit(draft: EventDraft): LogEvent {
    if (this.#isClosed) throw closed();
    const event = this.#place(draft);
    this.#tell([event]);
    return event;
  }

  read(after: number, limit: ReadLimit): Promise<readonly StoredEvent[]> {
    if (this.#isClosed) return Promise.reject(closed());
    const events: StoredEvent[] = [];
    let bytes = 0;
    for (let offset = Math.max(after, this.#ring.dropped) + 1; events.length < limit.maxEvents; offset += 1) {
      const event = this.#ring.at(offset);
      if (event === undefined) break;
      bytes += event.sizeBytes;
      if (bytes > limit.maxBytes && events.length > 0) break;
      events.push(event);
    }
    return Promise.resolve(events);
  }

  watch(onCommitted: (events: readonly StoredEvent[]) => void): () => void {
    const watcher = { after: this.head, onCommitted };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  refresh(): Promise<{ readonly trimmedThrough: number; readonly head: number }> {
    return Promise.resolve({ trimmedThrough: this.trimmedThrough, head: this.head });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#watchers.clear();
    return Promise.resolve();
  }

  #checkRoom(drafts: readonly EventDraft[]): void {
    checkListFits(drafts, this.retention);
    // A key that is remembered needs no room: a publisher's retry must pass also when the window is full.
    const newKeys = new Set<string>();
    for (const { dedupeKey } of drafts)
      if (dedupeKey !== undefined && this.#dedupe.find(dedupeKey) === undefined) newKeys.add(dedupeKey);
    if (newKeys.size > 0) this.#dedupe.reserve(newKeys.size);
  }

  // All of a list before anybody is told: what a watcher publishes must not come between.
  #commitAll(drafts: readonly EventDraft[]): readonly Appended[] {
    this.#checkRoom(drafts);
    const events: LogEvent[] = [];
    const appended = drafts.map((draft) => {
      const first = draft.dedupeKey === undefined ? undefined : this.#dedupe.find(draft.dedupeKey);
      if (first !== undefined) return first;
      const event = this.#place(draft);
      events.push(event);
      if (draft.dedupeKey !== undefined) this.#dedupe.remember(draft.dedupeKey, appendedAs(event));
      return appendedAs(event);
    });
    if (events.length > 0) this.#tell(events);
    return appended;
  }

  #place(draft: EventDraft): LogEvent {
    const event = new LogEvent(this.epoch, this.#ring.newest + 1, this.#time.now(), draft);
    this.#ring.push(event);
    return event;
  }

  #tell(committed: LogEvent[]): void {
    if (this.#watchers.size === 0) return;
    if (this.#isTelling) {
      this.#untold.push(...committed);
      return;
    }
    this.#isTelling = true;
    for (let events = committed; events.length > 0; events = this.#takeUntold()) {
      for (const { after, onCommitted } of this.#watchers) {
        // Who began to watch in the middle of this gets only what is new since.
        const news = (events[0]?.offset ?? 0) > after ? events : events.filter(({ offset }) => offset > after);
        if (news.length > 0) onCommitted(news);
      }
    }
    this.#isTelling = false;
  }

  #takeUntold(): LogEvent[] {
    const untold = this.#untold;
    if (untold.length > 0) this.#untold = [];
    return untold;
  }
}

interface Watcher {
  /** The head when it began. */
  readonly after: number;
  readonly onCommitted: (events: readonly StoredEvent[]) => void;
}

function appendedAs({ epoch, offset, timestamp }: LogEvent): Appended {
  return { position: { epoch, offset }, timestamp, isDuplicate: false };
}

/** Eight of [a-z0-9], 41 bits: enough that two lives of a log do not meet. */
export function makeEpoch(random: Random): string {
  let epoch = "";
  while (epoch.length < 8) epoch += Math.floor(random.next() * 36).toString(36);
  return epoch;
}

function closed(): StarcastError {
  return new StarcastError("log_closed", "Expected an open log, got one that was closed");
}
