/** Unfinished deliveries with one order key, oldest first: only the head of a lane can be claimed. */
export class OrderLane<Item extends { readonly sequence: number }> {
  #items: Item[] = [];
  // Taking the head moves a number, not the whole array; the spent beginning is cut off now and then.
  #first = 0;

  get head(): Item | undefined {
    return this.#items[this.#first];
  }

  get size(): number {
    return this.#items.length - this.#first;
  }

  /** Puts it where its age belongs: at the end, unless it was finished once and is delivered again. */
  add(item: Item): void {
    let at = this.#items.length;
    while (at > this.#first && (this.#items[at - 1]?.sequence ?? 0) > item.sequence) at -= 1;
    if (at === this.#items.length) this.#items.push(item);
    else this.#items.splice(at, 0, item);
  }

  remove(item: Item): void {
    if (this.head === item) this.#first += 1;
    else {
      const at = this.#items.indexOf(item, this.#first);
      if (at >= 0) this.#items.splice(at, 1);
    }
    if (this.#first > 32 && this.#first * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
  }
}
