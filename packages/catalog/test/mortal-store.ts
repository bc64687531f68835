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
  const write: Write = async (act) => {
    writes += 1;
    if (writes === killAt && moment === "after") await act();
    if (writes >= killAt) throw new Error("killed");
    return act();
  };
  return {
    store: viewOf(shared, write, () => writes >= killAt),
    get writes() {
      return writes;
    },
  };
}

/** A view of a process that sleeps from its write number `sleepAt` on, until it is woken: then its writes go on. */
export function sleepy(
  shared: MemoryStore,
  sleepAt: number,
): { readonly store: Store; readonly asleep: Promise<void>; wake(): void } {
  let writes = 0;
  let wake = (): void => undefined;
  let fallAsleep = (): void => undefined;
  const woken = new Promise<void>((resolve) => (wake = resolve));
  const asleep = new Promise<void>((resolve) => (fallAsleep = resolve));
  const write: Write = async (act) => {
    writes += 1;
    if (writes >= sleepAt) {
      fallAsleep();
      await woken;
    }
    return act();
  };
  return { store: viewOf(shared, write, () => false), asleep, wake };
}

type Write = <Result>(act: () => Promise<Result>) => Promise<Result>;

function viewOf(shared: MemoryStore, write: Write, isKilled: () => boolean): Store {
  const { log, checkpoints, deliveries, records } = shared;
  return {
    log: {
      epoch: log.epoch,
      // What is tested is what an engine that survives its processes must do.
      durability: "process",
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
      release: (lease) => (isKilled() ? Promise.resolve() : checkpoints.release(lease)),
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
}
