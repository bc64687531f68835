/** Remembers the last so many ids. */
export class SeenIds {
  readonly #limit: number;
  // A set keeps the order of insertion: the first is the oldest.
  readonly #ids = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  add(id: string): void {
    this.#ids.add(id);
    const [oldest] = this.#ids.size > this.#limit ? this.#ids : [];
    if (oldest !== undefined) this.#ids.delete(oldest);
  }
}
