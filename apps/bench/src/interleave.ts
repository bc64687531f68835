/** Measures of each contender, one per round. */
export type Measures = ReadonlyMap<string, readonly number[]>;

/**
 * Runs every contender once per round, in a rotating order, so that a machine that slows down slows down all of them.
 * One warm-up round is thrown away.
 */
export async function interleave(
  contenders: Readonly<Record<string, () => number | Promise<number>>>,
  rounds: number,
): Promise<Measures> {
  const names = Object.keys(contenders);
  const measures = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(turn + Math.max(round, 0)) % names.length] ?? "";
      globalThis.gc?.();
      const value = await contenders[name]?.();
      if (round >= 0 && value !== undefined) measures.get(name)?.push(value);
    }
  }
  return measures;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Median of the ratios round by round: what both felt in the same seconds. */
export function ratio(measures: Measures, over: string, under: string): number {
  const numerators = measures.get(over) ?? [];
  const denominators = measures.get(under) ?? [];
  return median(numerators.map((value, round) => value / (denominators[round] ?? NaN)));
}
