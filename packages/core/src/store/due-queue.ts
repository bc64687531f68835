/** What can wait in a queue: it remembers its own place there, so that it can be taken out from the middle. */
export interface Queued {
  /** When it is due; changed only while it is not queued. */
  dueAt: number;
  /** Breaks ties: the smaller is first. */
  readonly sequence: number;
  /** Belongs to the queue; -1 while in none. */
  slot: number;
}

/** The earliest first; adding and taking out cost the logarithm of its length. A binary heap. */
export class DueQueue<Item extends Queued> {
  readonly #items: Item[] = [];

  get first(): Item | undefined {
    return this.#items[0];
  }

  add(item: Item): void {
    item.slot = this.#items.length;
    this.#items.push(item);
    this.#rise(item);
  }

  /** Does nothing when it is not queued. */
  remove(item: Item): void {
    const { slot } = item;
    if (slot < 0 || this.#items[slot] !== item) return;
    const last = this.#items.pop();
    item.slot = -1;
    if (last === undefined || last === item) return;
    this.#put(last, slot);
    this.#rise(last);
    this.#sink(last);
  }

  // Others move over the hole; only at its end is the item itself put down.
  #rise(item: Item): void {
    let { slot } = item;
    while (slot > 0) {
      const parentSlot = (slot - 1) >> 1;
      const parent = this.#items[parentSlot];
      if (parent === undefined || !isBefore(item, parent)) break;
      this.#put(parent, slot);
      slot = parentSlot;
    }
    this.#put(item, slot);
  }

  #sink(item: Item): void {
    let { slot } = item;
    for (;;) {
      let childSlot = slot * 2 + 1;
      let child = this.#items[childSlot];
      const right = this.#items[childSlot + 1];
      if (child !== undefined && right !== undefined && isBefore(right, child)) {
        child = right;
        childSlot += 1;
      }
      if (child === undefined || !isBefore(child, item)) break;
      this.#put(child, slot);
      slot = childSlot;
    }
    this.#put(item, slot);
  }

  #put(item: Item, slot: number): void {
    this.#items[slot] = item;
    item.slot = slot;
  }
}

function isBefore(a: Queued, b: Queued): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.sequence < b.sequence);
}
