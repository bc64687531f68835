/** A bounded queue between a stream and one `for await` loop. */
export interface HandOver<Item> extends AsyncIterableIterator<Item> {
  isFull(): boolean;
  push(item: Item): void;
  /** What is queued is still taken; then the loop ends, or throws. */
  end(error: Error | null): void;
}

/** `onRoom`: a full one is half empty again. `onReturn`: the loop was left. */
export function handOver<Item>(limit: number, onRoom: () => void, onReturn: () => void): HandOver<Item> {
  let items: Item[] = [];
  // Items before this index are taken.
  let taken = 0;
  let isOver = false;
  let failure: Error | null = null;
  const waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const each of waiting.splice(0)) each();
  };
  const end = (error: Error | null): void => {
    isOver = true;
    failure = error;
    wake();
  };
  const next = async (): Promise<IteratorResult<Item>> => {
    while (taken === items.length) {
      const error = failure;
      failure = null;
      if (error !== null) throw error;
      if (isOver) return { value: undefined, done: true };
      await new Promise<void>((resolve) => void waiting.push(resolve));
    }
    // Just compared with the length.
    const value = items[taken] as Item;
    taken += 1;
    // Cut rarely enough to cost nothing, often enough to stay within twice the limit.
    if (taken === items.length || taken >= limit) {
      items = items.slice(taken);
      taken = 0;
    }
    if (items.length - taken <= limit / 2) onRoom();
    return { value, done: false };
  };
  return {
    isFull: () => items.length - taken >= limit,
    push(item) {
      items.push(item);
      wake();
    },
    end,
    next,
    return() {
      items = [];
      taken = 0;
      end(null);
      onReturn();
      return next();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
