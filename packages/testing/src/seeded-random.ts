import type { Random } from "@starcast/core";

/** Chance that can be repeated: the same seed gives the same numbers for ever. */
export interface SeededRandom extends Random {
  readonly seed: number;
  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** One of a list that has at least one. */
  pick<Item>(items: readonly Item[]): Item;
  /** Another generator that depends only on this seed and the name, so that drawing from one does not shift the other. */
  fork(name: string): SeededRandom;
}

/** Mulberry32: small, quick, and good enough to wander through states. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    seed,
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: <Item>(items: readonly Item[]): Item => {
      const item = items[integer(0, items.length - 1)];
      if (item === undefined && items.length === 0)
        throw new RangeError("Expected a list with at least one item, got an empty one");
      return item as Item;
    },
    fork: (name) => seededRandom(hash(`${seed}/${name}`)),
  };
}

/** Runs `check` for each seed, and names the seed that failed, so that it can be run alone. */
export async function forEachSeed(
  seeds: number | readonly number[],
  check: (random: SeededRandom, seed: number) => void | Promise<void>,
): Promise<void> {
  const list = typeof seeds === "number" ? Array.from({ length: seeds }, (_, index) => index + 1) : seeds;
  for (const seed of list) {
    try {
      await check(seededRandom(seed), seed);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`Seed ${seed} failed (run it alone: forEachSeed([${seed}], ...)): ${reason}`, { cause: error });
    }
  }
}

// FNV-1a, 32 bits.
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
