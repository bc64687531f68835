/** Full jitter between half a second and a bound that doubles: 1, 2, 4 ... 20 s. `failures` counts those before this one. Pure. */
export function backOffMs(failures: number, random: { next(): number }): number {
  const bound = Math.min(longestBackOffMs, shortestBackOffMs * 2 ** (failures + 1));
  return shortestBackOffMs + Math.round(random.next() * (bound - shortestBackOffMs));
}

/** What Retry-After says, in milliseconds: seconds or a date (RFC 9110, 10.2.3), at most ten minutes; null if nothing that can be read. Pure. */
export function readRetryAfter(header: string | null, now: number): number | null {
  const ms = /^\d+$/.test(header ?? "") ? Number(header) * 1_000 : Date.parse(header ?? "") - now;
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), longestAdviceMs);
}

const shortestBackOffMs = 500;
const longestBackOffMs = 20_000;

/** However long a server asks a client to stay away, it looks again after ten minutes. */
export const longestAdviceMs = 600_000;

/** A connection that held so long was good: what failed before it no longer counts. */
export const stableMs = 30_000;
