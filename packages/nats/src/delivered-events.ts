import { StarcastError, type DeliveredEvent } from "@starcast/core";
import type { Bucket } from "./bucket.ts";
import { inParts } from "./in-parts.ts";
import { toKey } from "./key-text.ts";

/** The deliveries' own copies of events, each once, whatever the number of endpoints; the newest are at hand. */
export class DeliveredEvents {
  readonly #bucket: Bucket;
  readonly #maxCachedBytes: number;
  // Least recently used first.
  readonly #cache = new Map<string, DeliveredEvent>();
  #cachedBytes = 0;

  constructor(bucket: Bucket, maxCachedBytes: number) {
    this.#bucket = bucket;
    this.#maxCachedBytes = maxCachedBytes;
  }

  get cachedBytes(): number {
    return this.#cachedBytes;
  }

  /** Resolves when every one of them is kept. */
  async keep(events: Iterable<DeliveredEvent>): Promise<void> {
    const unknown = new Map<string, DeliveredEvent>();
    for (const event of events) if (!this.#cache.has(event.id)) unknown.set(event.id, event);
    await inParts([...unknown.values()], async (event) => {
      const { id, ...rest } = event;
      await this.#bucket.put(toKey(id), JSON.stringify(rest));
      this.#remember(event);
    });
  }

  /** Null for one that is kept no longer. */
  async get(id: string): Promise<DeliveredEvent | null> {
    const cached = this.#cache.get(id);
    if (cached !== undefined) {
      this.#cache.delete(id);
      this.#cache.set(id, cached);
      return cached;
    }
    const entry = await this.#bucket.get(toKey(id));
    if (entry === null || entry.value === null) return null;
    const event = decode(id, entry.value);
    this.#remember(event);
    return event;
  }

  #remember(event: DeliveredEvent): void {
    if (this.#cache.has(event.id)) return;
    this.#cache.set(event.id, event);
    this.#cachedBytes += weight(event);
    for (const [id, oldest] of this.#cache) {
      if (this.#cachedBytes <= this.#maxCachedBytes || this.#cache.size === 1) return;
      this.#cache.delete(id);
      this.#cachedBytes -= weight(oldest);
    }
  }
}

/** About what an event takes in memory. */
function weight({ id, type, subject, json }: DeliveredEvent): number {
  return 200 + 2 * (id.length + type.length + (subject?.length ?? 0) + json.length);
}

function decode(id: string, value: string): DeliveredEvent {
  try {
    const { type, subject, timestamp, json } = JSON.parse(value) as Partial<DeliveredEvent>;
    const isSubject = subject === undefined || typeof subject === "string";
    if (typeof type === "string" && typeof timestamp === "string" && typeof json === "string" && isSubject)
      return { id, type, subject, timestamp, json };
  } catch {
    // Said below.
  }
  throw new StarcastError("store_corrupt", "Expected a delivered event as it was written, got something else");
}
