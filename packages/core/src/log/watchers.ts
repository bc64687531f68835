import type { StoredEvent } from "../event/event.ts";

/** Who is told of committed events, each from the moment it began to watch. */
export class Watchers {
  readonly #watchers = new Set<{ readonly after: number; readonly tell: (events: readonly StoredEvent[]) => void }>();

  /** Tells of what comes after this offset, until the returned function is called. */
  add(after: number, tell: (events: readonly StoredEvent[]) => void): () => void {
    const watcher = { after, tell };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  tell(events: readonly StoredEvent[]): void {
    const last = events.at(-1)?.offset ?? 0;
    // One that began inside this loop is visited by it too, and knows these events already.
    for (const { after, tell } of this.#watchers) if (last > after) tell(events);
  }

  clear(): void {
    this.#watchers.clear();
  }
}
