/** Newest latencies that percentiles are made of. */
export const maxSamples = 1_000;

/** Older ones say nothing of now. */
export const keptMs = 30_000;

/** How long the newest events took to arrive: a ring, so that the past does not hide this half minute. */
export class LatencyWindow {
  readonly #now: () => number;
  readonly #tookMs = new Float64Array(maxSamples);
  readonly #at = new Float64Array(maxSamples);
  #count = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  add(tookMs: number): void {
    const place = this.#count % maxSamples;
    this.#tookMs[place] = Math.max(0, tookMs);
    this.#at[place] = this.#now();
    this.#count += 1;
  }

  /** The nearest rank; null where nothing arrived of late. */
  percentiles(): { readonly p50Ms: number | null; readonly p99Ms: number | null } {
    const since = this.#now() - keptMs;
    const sorted = this.#tookMs.filter((_, place) => place < this.#count && (this.#at[place] ?? 0) > since).toSorted();
    if (sorted.length === 0) return { p50Ms: null, p99Ms: null };
    const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
    return { p50Ms: at(0.5), p99Ms: at(0.99) };
  }
}
