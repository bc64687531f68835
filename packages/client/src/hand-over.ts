/** A bounded queue between a stream and one `for await` loop. */
export class HandOver<Item> implements AsyncIterableIterator<Item> {
  readonly #limit: number;
  readonly #onRoom: () => void;
  readonly #onReturn: () => void;
  #items: Item[] = [];
  /** Items before this index are taken. */
  #next = 0;
  #isOver = false;
  #error: Error | null = null;
  #waiting: { resolve(result: IteratorResult<Item>): void; reject(error: Error): void }[] = [];

  /** `onRoom`: a full one is half empty again. `onReturn`: the loop was left. */
  constructor(limit: number, { onRoom, onReturn }: { readonly onRoom: () => void; readonly onReturn: () => void }) {
    this.#limit = limit;
    this.#onRoom = onRoom;
    this.#onReturn = onReturn;
  }

  get isFull(): boolean {
    return this.#items.length - this.#next >= this.#limit;
  }

  push(item: Item): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting.resolve({ value: item, done: false });
    else this.#items.push(item);
  }

  /** What is queued is still taken; then the loop ends, or throws. */
  end(error: Error | null): void {
    this.#isOver = true;
    this.#error = error;
    for (const waiting of this.#waiting.splice(0)) {
      if (error === null) waiting.resolve({ value: undefined, done: true });
      else waiting.reject(error);
    }
  }

  next(): Promise<IteratorResult<Item>> {
    if (this.#next < this.#items.length) {
      // Just compared with the length.
      const value = this.#items[this.#next] as Item;
      this.#next += 1;
      // Cut rarely enough to cost nothing, often enough to stay within twice the limit.
      if (this.#next === this.#items.length || this.#next >= this.#limit) {
        this.#items = this.#items.slice(this.#next);
        this.#next = 0;
      }
      if (this.#items.length - this.#next <= this.#limit / 2) this.#onRoom();
      return Promise.resolve({ value, done: false });
    }
    if (this.#error !== null) {
      const error = this.#error;
      this.#error = null;
      return Promise.reject(error);
    }
    if (this.#isOver) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => void this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<Item>> {
    this.#items = [];
    this.#next = 0;
    this.end(null);
    this.#onReturn();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
