import { readPlace } from "./place.ts";
import type { PositionStore } from "./position-store.ts";
import type { Surroundings, Timer } from "./surroundings.ts";
import type { Warn } from "./warnings.ts";

/** A position is saved at most this often, and when the page is hidden or the client closed. */
export const saveEveryMs = 1_000;

/** One client's position in a store; a store that fails costs a warning, not an event. */
export class SavedPosition {
  readonly #store: PositionStore;
  readonly #key: string;
  readonly #surroundings: Surroundings;
  readonly #warn: Warn;
  #timer: Timer | null = null;
  #unsaved: string | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(store: PositionStore, key: string, surroundings: Surroundings, warn: Warn) {
    this.#store = store;
    this.#key = key;
    this.#surroundings = surroundings;
    this.#warn = warn;
  }

  /** Null when there is none that can be read. Never rejects. */
  async load(): Promise<string | null> {
    try {
      const saved = await this.#store.load(this.#key);
      return typeof saved === "string" && readPlace(saved) !== null ? saved : null;
    } catch (error) {
      this.#warn("the saved position could not be loaded; beginning without it", error);
      return null;
    }
  }

  /** Soon saved. */
  moved(position: string): void {
    this.#unsaved = position;
    this.#timer ??= this.#surroundings.scheduler.after(saveEveryMs, () => void this.flush());
  }

  /** Saves at once what is not saved yet. Never rejects. */
  flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    const position = this.#unsaved;
    if (position === null) return this.#saving;
    this.#unsaved = null;
    // One after the other: an older position must not overtake a newer one. The first of a quiet store is saved in this
    // very turn, which may be the last that a page gets.
    this.#saving = this.#isIdle ? this.#save(position) : this.#saving.then(() => this.#save(position));
    return this.#saving;
  }

  #isIdle = true;

  async #save(position: string): Promise<void> {
    this.#isIdle = false;
    try {
      await this.#store.save(this.#key, position);
    } catch (error) {
      this.#warn("the position could not be saved; after a reload, events may come again", error);
    }
    this.#isIdle = true;
  }
}
