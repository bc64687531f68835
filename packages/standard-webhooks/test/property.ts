/** Randomness that a seed repeats. */
export interface Random {
  /** From `min` to `max`, both included. */
  integer(min: number, max: number): number;
  pick<T>(from: ArrayLike<T>): T;
}

/** Runs `check` with many random inputs; a failure names the seed that repeats it, to be given as `SEED=... npx vitest run`. */
export function property(runs: number, check: (random: Random) => void): void {
  for (const seed of seedsFor(runs)) {
    try {
      check(seeded(seed));
    } catch (error) {
      throw failure(seed, error);
    }
  }
}

/** `property` for checks that await. */
export async function asyncProperty(runs: number, check: (random: Random) => Promise<void>): Promise<void> {
  for (const seed of seedsFor(runs)) {
    try {
      await check(seeded(seed));
    } catch (error) {
      throw failure(seed, error);
    }
  }
}

export function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(0, 255));
}

function seedsFor(runs: number): readonly number[] {
  const given = process.env["SEED"];
  if (given !== undefined) return [Number(given)];
  const first = Math.floor(Math.random() * 2 ** 31);
  return Array.from({ length: runs }, (_, index) => (first + index) | 0);
}

function failure(seed: number, cause: unknown): Error {
  return new Error(`Fails with SEED=${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

/** mulberry32: small, and good enough to reach every corner. */
function seeded(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return { integer, pick: (from) => from[integer(0, from.length - 1)] as (typeof from)[number] };
}
