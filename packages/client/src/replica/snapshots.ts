import { ClientError } from "../client-error.ts";
import type { Surroundings, Timer } from "../surroundings.ts";
import type { Warn } from "../warnings.ts";

/** Subscribers of one replica: a page that reaches this forgets to unsubscribe. */
export const maxSubscribers = 1_000;

/** Unchanging copies of entries that change, made when somebody looks, and told at most once per turn. */
export class Snapshots<Value> {
  readonly #surroundings: Surroundings;
  readonly #warn: Warn;
  readonly #entries: () => ReadonlyMap<string, Value>;
  readonly #listeners = new Map<symbol, (entries: ReadonlyMap<string, Value>) => void>();
  #snapshot: ReadonlyMap<string, Value> | null = null;
  #timer: Timer | null = null;

  constructor(
    { surroundings, warn }: { readonly surroundings: Surroundings; readonly warn: Warn },
    entries: () => ReadonlyMap<string, Value>,
  ) {
    this.#surroundings = surroundings;
    this.#warn = warn;
    this.#entries = entries;
  }

  get current(): ReadonlyMap<string, Value> {
    this.#snapshot ??= new Map(this.#entries());
    return this.#snapshot;
  }

  subscribe(listener: (entries: ReadonlyMap<string, Value>) => void): () => void {
    if (this.#listeners.size >= maxSubscribers)
      throw new ClientError(
        "overloaded",
        `Expected at most ${maxSubscribers} subscribers: unsubscribe those no longer needed`,
      );
    const key = Symbol();
    this.#listeners.set(key, listener);
    // As Svelte's stores do; React, Vue and Solid look for themselves.
    listener(this.current);
    return () => void this.#listeners.delete(key);
  }

  /** The entries are others. */
  changed(): void {
    this.#snapshot = null;
    this.announce();
  }

  /** Something is worth another look, in a later turn. */
  announce(): void {
    this.#timer ??= this.#surroundings.scheduler.after(0, () => {
      this.#timer = null;
      this.#tell();
    });
  }

  /** Tells what changed last, and nothing any more. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#tell();
    this.#listeners.clear();
  }

  #tell(): void {
    for (const listener of [...this.#listeners.values()]) {
      try {
        listener(this.current);
      } catch (error) {
        this.#warn("a subscriber of a replica threw", error);
      }
    }
  }
}
