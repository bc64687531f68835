import type { Page } from "./page.ts";

/** Complete pages that cursors share, the most recently used ones, bounded by bytes. */
export class PageCache {
  readonly #maxBytes: number;
  // A Map keeps insertion order; a used page is put in again at the end.
  readonly #pages = new Map<number, Page>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(start: number): Page | undefined {
    const page = this.#pages.get(start);
    if (page === undefined) return undefined;
    this.#pages.delete(start);
    this.#pages.set(start, page);
    return page;
  }

  put(start: number, page: Page): void {
    this.#remove(start);
    this.#pages.set(start, page);
    this.#bytes += weight(page);
    for (const oldest of this.#pages.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#remove(oldest);
    }
  }

  clear(): void {
    this.#pages.clear();
    this.#bytes = 0;
  }

  #remove(start: number): void {
    const page = this.#pages.get(start);
    if (page === undefined) return;
    this.#pages.delete(start);
    this.#bytes -= weight(page);
  }
}

// The events, their frames and the pieces made of them, each about the size of the event; and each event's own objects,
// which outweigh small data.
function weight(page: Page): number {
  return page.sizeBytes * 3 + (page.through - page.after) * objectBytes;
}

const objectBytes = 256;
