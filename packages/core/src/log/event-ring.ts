import type { ReadLimit } from "./event-log.ts";

interface Placed {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** The newest events of a log, dense by offset, bounded by number and bytes. O(1) to add, to drop and to look up. */
export class EventRing<Item extends Placed> {
  readonly limit: ReadLimit;
  // Grows to the limit by doubling, so that a large limit costs nothing until it is used. Length is a power of two.
  #slots: (Item | undefined)[] = new Array<Item | undefined>(64);
  #dropped: number;
  #newest: number;
  #bytes = 0;

  /** An empty ring after this offset. */
  constructor(limit: ReadLimit, after: number) {
    this.limit = limit;
    this.#dropped = after;
    this.#newest = after;
  }

  /** Last offset that is no longer here. */
  get dropped(): number {
    return this.#dropped;
  }

  get newest(): number {
    return this.#newest;
  }

  get count(): number {
    return this.#newest - this.#dropped;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds the next event, then drops the oldest ones that are above the limit; the newest always stays. */
  push(item: Item): void {
    if (this.count === this.#slots.length) this.#grow();
    this.#newest = item.offset;
    this.#slots[item.offset & (this.#slots.length - 1)] = item;
    this.#bytes += item.sizeBytes;
    while (this.count > this.limit.maxEvents || (this.#bytes > this.limit.maxBytes && this.count > 1)) this.#drop();
  }

  /** The event with this offset, if it is here. */
  at(offset: number): Item | undefined {
    return offset > this.#dropped && offset <= this.#newest
      ? this.#slots[offset & (this.#slots.length - 1)]
      : undefined;
  }

  /** The events after `after` up to `through` that are here, in order. */
  slice(after: number, through: number): Item[] {
    const items: Item[] = [];
    for (let offset = Math.max(after, this.#dropped) + 1; offset <= through; offset += 1) {
      const item = this.at(offset);
      if (item === undefined) break;
      items.push(item);
    }
    return items;
  }

  /** Forgets everything and goes on after this offset: what comes next does not follow what is here. */
  restart(after: number): void {
    this.#slots.fill(undefined);
    this.#dropped = after;
    this.#newest = after;
    this.#bytes = 0;
  }

  #drop(): void {
    this.#dropped += 1;
    const slot = this.#dropped & (this.#slots.length - 1);
    this.#bytes -= this.#slots[slot]?.sizeBytes ?? 0;
    this.#slots[slot] = undefined;
  }

  #grow(): void {
    const grown = new Array<Item | undefined>(this.#slots.length * 2);
    for (let offset = this.#dropped + 1; offset <= this.#newest; offset += 1) {
      grown[offset & (grown.length - 1)] = this.at(offset);
    }
    this.#slots = grown;
  }
}

/** The limit that keeps to both. */
export function smallerOf(a: ReadLimit, b: ReadLimit): ReadLimit {
  return { maxEvents: Math.min(a.maxEvents, b.maxEvents), maxBytes: Math.min(a.maxBytes, b.maxBytes) };
}
