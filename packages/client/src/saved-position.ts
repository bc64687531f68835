import type { ResolvedConnectOptions } from "./options.ts";
import { readPlace } from "./place.ts";
import type { PositionStore } from "./position-store.ts";
import { positionKey } from "./request-url.ts";
import type { Timer } from "./surroundings.ts";

/** A position is saved at most this often, and when the page is hidden or the client closed. */
export const saveEveryMs = 1_000;

/** One client's position in a store; a store that fails costs a warning, not an event. */
export interface SavedPosition {
  /** Nothing when there is none that can be read. Never rejects. */
  load(): Promise<string | null | undefined>;
  /** Soon saved. */
  moved(position: string): void;
  /** Saves what is not saved yet, in this very turn if it can, which may be the last that a page gets. Never rejects. */
  flush(): Promise<void>;
}

export function savedPosition(store: PositionStore, options: ResolvedConnectOptions): SavedPosition {
  const { surroundings, warn } = options;
  const key = positionKey(options);
  let timer: Timer | null = null;
  let latest = "";
  let saved = "";
  let saving: Promise<void> | null = null;
  // One after the other: an older position must not overtake a newer one.
  const save = async (): Promise<void> => {
    try {
      for (let position = latest; position !== saved; position = latest) {
        await store.save(key, position);
        // Only now: what failed is tried again, when the client is closed at the latest.
        saved = position;
      }
    } catch (error) {
      warn("no position could be saved", error);
    }
  };
  const flush = (): Promise<void> => {
    timer?.cancel();
    timer = null;
    saving ??= save().finally(() => (saving = null));
    return saving;
  };
  return {
    async load() {
      try {
        const loaded = await store.load(key);
        return readPlace(loaded) && loaded;
      } catch (error) {
        warn("no position could be loaded", error);
        return null;
      }
    },
    moved(position) {
      if (position === latest) return;
      latest = position;
      timer ??= surroundings.scheduler.after(saveEveryMs, () => void flush());
    },
    flush,
  };
}
