/** Full jitter between half a second and a bound that doubles: 1, 2, 4 ... 20 s. `failures` counts those before this one. Pure. */
export function backOffMs(failures: number, random: { next(): number }): number {
  const bound = Math.min(longestBackOffMs, shortestBackOffMs * 2 ** (failures + 1));
  return shortestBackOffMs + Math.round(random.next() * (bound - shortestBackOffMs));
}

const shortestBackOffMs = 500;
const longestBackOffMs = 20_000;

/** However long a server asks a client to stay away, it looks again after ten minutes. */
export const longestAdviceMs = 600_000;

/** A connection that held so long was good: what failed before it no longer counts. */
export const stableMs = 30_000;
