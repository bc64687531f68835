/** A bounded queue between a stream and one `for await` loop. */
export interface HandOver<Item> extends AsyncIterableIterator<Item> {
  isFull(): boolean;
  /** MUST be another item each time. */
  push(item: Item): void;
  /** What is queued is still taken; then the loop ends, or throws. */
  end(error: Error | null): void;
}

/** `onRoom`: a full one is half empty again. `onReturn`: the loop was left. */
export function handOver<Item>(limit: number, onRoom: () => void, onReturn: () => void): HandOver<Item> {
  // A set, since one gives away its oldest at the same cost however many it holds.
  const items = new Set<Item>();
  const oldest = items.values();
  const waiting: (() => void)[] = [];
  let isOver = false;
  let failure: Error | null = null;
  const wake = (): void => {
    for (const each of waiting.splice(0)) each();
  };
  const end = (error: Error | null): void => {
    isOver = true;
    failure = error;
    wake();
  };
  const next = async (): Promise<IteratorResult<Item>> => {
    while (items.size === 0) {
      const error = failure;
      failure = null;
      if (error !== null) throw error;
      if (isOver) return { value: undefined, done: true };
      await new Promise<void>((resolve) => void waiting.push(resolve));
    }
    const taken = oldest.next();
    // Never done, since there is one.
    items.delete(taken.value as Item);
    if (items.size <= limit / 2) onRoom();
    return taken;
  };
  return {
    isFull: () => items.size >= limit,
    push(item) {
      items.add(item);
      wake();
    },
    end,
    next,
    return() {
      items.clear();
      end(null);
      onReturn();
      return next();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
