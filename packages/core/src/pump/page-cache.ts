import type { Page } from "./page.ts";

/** Complete pages that cursors share, the most recently used ones, bounded by bytes. */
export class PageCache {
  readonly #maxBytes: number;
  // A Map keeps insertion order; a used page is put in again at the end.
  readonly #pages = new Map<number, Cached>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(start: number): Page | undefined {
    const cached = this.#pages.get(start);
    if (cached === undefined) return undefined;
    this.#pages.delete(start);
    this.#pages.set(start, cached);
    return cached.page;
  }

  /** One `ofWindow` weighs little: its events are the hot window's, and MUST be given up when the window has dropped some. */
  put(start: number, page: Page, ofWindow = false): void {
    this.#remove(start);
    const weight = weigh(page, ofWindow);
    this.#pages.set(start, { page, weight, ofWindow });
    this.#bytes += weight;
    for (const oldest of this.#pages.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#remove(oldest);
    }
  }

  /** The hot window has dropped everything up to here: gives up its pages that begin before. */
  windowDropped(through: number): void {
    for (const [start, { page, ofWindow }] of this.#pages) if (ofWindow && page.after < through) this.#remove(start);
  }

  clear(): void {
    this.#pages.clear();
    this.#bytes = 0;
  }

  #remove(start: number): void {
    this.#bytes -= this.#pages.get(start)?.weight ?? 0;
    this.#pages.delete(start);
  }
}

interface Cached {
  readonly page: Page;
  readonly weight: number;
  readonly ofWindow: boolean;
}

// The events, their frames and the pieces made of them, each about the size of the event; and each event's own objects,
// which outweigh small data. In the window only the pieces are the page's.
function weigh({ sizeBytes, after, through }: Page, ofWindow: boolean): number {
  return ofWindow ? sizeBytes + (through - after) * pointerBytes : sizeBytes * 3 + (through - after) * objectBytes;
}

const objectBytes = 256;
const pointerBytes = 16;
