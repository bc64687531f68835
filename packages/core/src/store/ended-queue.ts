/** What can stand in an `EndedQueue`: it holds its own neighbours, so that it can be taken out from the middle. */
export interface Ending<Item> {
  older: Item | null;
  newer: Item | null;
  /** The queue it stands in. */
  endedIn: { remove(item: Item): void } | null;
}

/**
 * Items in the order in which they were added; the oldest is had at once, however many were taken out before it. (A Set
 * walks over the holes its oldest left: with 100,000 kept, that was dearer than all the rest of a delivery.)
 */
export class EndedQueue<Item extends Ending<Item>> {
  #oldest: Item | null = null;
  #newest: Item | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get oldest(): Item | null {
    return this.#oldest;
  }

  add(item: Item): void {
    item.older = this.#newest;
    item.endedIn = this;
    if (this.#newest === null) this.#oldest = item;
    else this.#newest.newer = item;
    this.#newest = item;
    this.#size += 1;
  }

  /** Only for an item of this queue. */
  remove(item: Item): void {
    const { older, newer } = item;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    item.older = null;
    item.newer = null;
    item.endedIn = null;
    this.#size -= 1;
  }
}
