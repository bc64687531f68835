import type { MemoryStore, Store } from "@starcast/core";

/** The writes a process makes, until it is killed. */
export interface Mortal {
  readonly store: Store;
  /** Writes begun so far. */
  readonly writes: number;
}

/**
 * A process's view of a store that outlives it. At write number `killAt` the process is killed: before the write, or after
 * it but before anybody heard of it. From then on nothing the process does reaches the store.
 */
export function mortal(shared: MemoryStore, killAt: number, moment: "before" | "after" = "before"): Mortal {
  let writes = 0;
  const write = async <Result>(act: () => Promise<Result>): Promise<Result> => {
    writes += 1;
    if (writes === killAt && moment === "after") await act();
    if (writes >= killAt) throw new Error("killed");
    return act();
  };
  const { log, checkpoints, deliveries, records } = shared;
  const store: Store = {
    log: {
      epoch: log.epoch,
      durability: log.durability,
      isAtomic: log.isAtomic,
      retention: log.retention,
      get trimmedThrough() {
        return log.trimmedThrough;
      },
      get head() {
        return log.head;
      },
      append: (drafts) => write(() => log.append(drafts)),
      read: (after, limit) => log.read(after, limit),
      watch: (onCommitted) => log.watch(onCommitted),
      refresh: () => log.refresh(),
      close: async () => undefined,
    },
    checkpoints: {
      acquire: (name, ttlMs) => checkpoints.acquire(name, ttlMs),
      renew: (lease, ttlMs) => checkpoints.renew(lease, ttlMs),
      load: (name) => checkpoints.load(name),
      save: (lease, position) => checkpoints.save(lease, position),
      // A killed process gives nothing back.
      release: (lease) => (writes >= killAt ? Promise.resolve() : checkpoints.release(lease)),
      remove: (name) => checkpoints.remove(name),
      list: () => checkpoints.list(),
    },
    deliveries,
    records: {
      get: (key) => records.get(key),
      put: (key, value, options) => write(() => records.put(key, value, options)),
      remove: (key) => write(() => records.remove(key)),
      list: (prefix) => records.list(prefix),
    },
    close: async () => undefined,
  };
  return {
    store,
    get writes() {
      return writes;
    },
  };
}
