/** Timestamps of the newest events, by sequence, for repetitions of their dedupe keys. */
export class RecentTimes {
  readonly #sequences = new Float64Array(maxRecentTimes);
  readonly #timestamps = new Array<string>(maxRecentTimes).fill("");

  put(sequence: number, timestamp: string): void {
    const slot = sequence % maxRecentTimes;
    this.#sequences[slot] = sequence;
    this.#timestamps[slot] = timestamp;
  }

  at(sequence: number): string | undefined {
    const slot = sequence % maxRecentTimes;
    return this.#sequences[slot] === sequence ? this.#timestamps[slot] : undefined;
  }
}

export const maxRecentTimes = 4_096;
