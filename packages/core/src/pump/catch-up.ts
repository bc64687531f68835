import type { Scheduler } from "../clock.ts";
import { StarcastError } from "../errors.ts";
import { LogEvent } from "../event/log-event.ts";
import type { EventLog } from "../log/event-log.ts";
import type { EventRing } from "../log/event-ring.ts";
import { Page, pageEvents, pageStart } from "./page.ts";
import { PageCache } from "./page-cache.ts";
import { Retries } from "./retries.ts";

/** Most bytes of one read; a page of large events is read in parts. */
export const maxPageBytes = 1_048_576;

/** Reads of the log under way at once; the rest wait their turn. */
export const maxConcurrentReads = 4;

/** After a failed read the next try waits this long. */
export const readRetryMs = 1_000;

export interface CatchUpOptions {
  readonly log: EventLog;
  readonly window: EventRing<LogEvent>;
  readonly scheduler: Scheduler;
  readonly cacheBytes: number;
  readonly onFailed: (after: number, error: unknown) => void;
}

type OnPage = (page: Page) => void;

/** The events a cursor behind the head needs next: from the hot window at once, else read from the log, shared by all. */
export class CatchUp {
  readonly #options: CatchUpOptions;
  readonly #cache: PageCache;
  // By the offset the read begins after; who left is no longer in it.
  readonly #reads = new Map<number, Set<OnPage>>();
  readonly #waiting: number[] = [];
  readonly #retries: Retries;
  /** Up to here the cache knows that the window has dropped. */
  #droppedThrough = 0;
  #running = 0;
  #newestPage: Page | null = null;
  #isClosed = false;

  constructor(options: CatchUpOptions) {
    this.#options = options;
    this.#retries = new Retries(options.scheduler);
    this.#cache = new PageCache(options.cacheBytes);
  }

  /** The page with the event after `offset`, if memory holds it; it ends at `head` or before. */
  pageNow(offset: number, head: number): Page | null {
    const start = pageStart(offset);
    const cached = this.#cache.get(start);
    if (cached?.holdsAfter(offset) === true) return cached.upTo(head);
    const { window, log } = this.#options;
    if (offset < window.dropped) return null;
    const after = Math.max(start, window.dropped);
    const through = Math.min(start + pageEvents, head);
    // Everybody who is a little behind needs the page that still grows; it is good until the head moves.
    const newest = this.#newestPage;
    if (newest !== null && newest.through === through && newest.holdsAfter(offset)) return newest;
    const page = new Page(log.epoch, after, through, window.slice(after, through));
    if (through === start + pageEvents) this.#cache.put(start, page, true);
    else this.#newestPage = page;
    return page;
  }

  /** To be called now and then: the cache gives up what the window has. */
  followWindow(): void {
    const { dropped } = this.#options.window;
    // As coarse as pages are.
    if (dropped < this.#droppedThrough + pageEvents) return;
    this.#droppedThrough = dropped;
    this.#cache.windowDropped(dropped);
  }

  /** Reads the page with the event after `offset`; calls back in a later turn, unless closed or called off before. */
  read(offset: number, onPage: OnPage): () => void {
    let cancel = this.#enqueue(pageStart(offset), (page) => {
      // Events too large for one read: the part of the page with this event is read by itself.
      if (page.through > offset) onPage(page);
      else cancel = this.#enqueue(offset, onPage);
    });
    return () => cancel();
  }

  close(): void {
    this.#isClosed = true;
    this.#retries.cancel();
    this.#reads.clear();
    this.#waiting.length = 0;
    this.#cache.clear();
    this.#newestPage = null;
  }

  #enqueue(after: number, onPage: OnPage): () => void {
    const others = this.#reads.get(after);
    if (others === undefined) {
      this.#reads.set(after, new Set([onPage]));
      this.#waiting.push(after);
      this.#startReads();
    } else others.add(onPage);
    return () => void this.#reads.get(after)?.delete(onPage);
  }

  #startReads(): void {
    while (this.#running < maxConcurrentReads) {
      const after = this.#waiting.shift();
      if (after === undefined) return;
      if (!this.#isWanted(after)) continue;
      this.#running += 1;
      this.#readOne(after).then(
        (page) => this.#finish(after, page),
        (error: unknown) => this.#retryLater(after, error),
      );
    }
  }

  async #readOne(after: number): Promise<Page> {
    const { log } = this.#options;
    const stored = await log.read(after, { maxEvents: pageStart(after) + pageEvents - after, maxBytes: maxPageBytes });
    const events: LogEvent[] = [];
    const first = stored[0]?.offset ?? 0;
    for (const event of stored) {
      // A hole ends the page; the next page then begins behind it, which is a gap.
      if (event.offset !== first + events.length || event.offset > pageStart(after) + pageEvents) break;
      events.push(LogEvent.from(log.epoch, event));
    }
    if (events.length > 0) return new Page(log.epoch, first - 1, first - 1 + events.length, events);
    // Nothing up to the page's end: trimmed meanwhile, or a hole as long as the page.
    const missing = stored.length > 0 ? first - 1 : (await log.refresh()).trimmedThrough;
    if (missing > after) return new Page(log.epoch, missing, missing, []);
    throw new StarcastError("store_failed", `Expected the log to hold events after offset ${after}, got none`);
  }

  #finish(after: number, page: Page): void {
    this.#running -= 1;
    if (this.#isClosed) return;
    if (page.after === after && page.through === after + pageEvents && pageStart(after) === after)
      this.#cache.put(after, page);
    const callbacks = this.#reads.get(after) ?? [];
    this.#reads.delete(after);
    for (const onPage of callbacks) onPage(page);
    this.#startReads();
  }

  #retryLater(after: number, error: unknown): void {
    this.#running -= 1;
    if (this.#isClosed) return;
    this.#options.onFailed(after, error);
    if (this.#isWanted(after))
      this.#retries.after(readRetryMs, () => {
        this.#waiting.push(after);
        this.#startReads();
      });
    this.#startReads();
  }

  /** False when everybody who waited for this read has left; it is then forgotten. */
  #isWanted(after: number): boolean {
    const isWanted = (this.#reads.get(after)?.size ?? 0) > 0;
    if (!isWanted) this.#reads.delete(after);
    return isWanted;
  }
}
