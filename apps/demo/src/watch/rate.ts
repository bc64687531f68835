/** Looks that a rate is over. */
const maxLooks = 12;

/** How fast a number grows, over the newest looks at it. */
export class Rate {
  readonly #looks: { readonly at: number; readonly count: number }[] = [];

  /** Per second, with this look. */
  look(count: number, now: number): number {
    this.#looks.push({ at: now, count });
    if (this.#looks.length > maxLooks) this.#looks.shift();
    const [oldest] = this.#looks;
    if (oldest === undefined || oldest.at === now) return 0;
    return Math.max(0, Math.round(((count - oldest.count) * 1_000) / (now - oldest.at)));
  }
}
