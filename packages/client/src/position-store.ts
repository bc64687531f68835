/** Keeps where to resume beyond the life of a client. Two functions are enough for one of your own. */
export interface PositionStore {
  /** The position saved last under this key; null when there is none. */
  load(key: string): string | null | undefined | Promise<string | null | undefined>;
  /** MUST replace what is there. */
  save(key: string, position: string): void | Promise<void>;
}

/** Keeps positions as long as the object lives: for clients that come and go within a page. */
export function memoryPositions(): PositionStore {
  const kept = new Map<string, string>();
  return {
    load: (key) => kept.get(key) ?? null,
    save(key, position) {
      // The oldest goes: a page that follows more filters than this resumes those at their start.
      if (kept.size >= maxMemoryPositions && !kept.has(key)) kept.delete(kept.keys().next().value ?? "");
      kept.set(key, position);
    },
  };
}

/** Keeps positions in `localStorage`, over reloads and restarts of the browser. */
export function localStoragePositions(): PositionStore {
  const storage = (): WebStorage | undefined => (globalThis as { readonly localStorage?: WebStorage }).localStorage;
  return {
    load: (key) => storage()?.getItem(key),
    save: (key, position) => storage()?.setItem(key, position),
  };
}

/** Positions one `memoryPositions` keeps. */
export const maxMemoryPositions = 1_000;

interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}
