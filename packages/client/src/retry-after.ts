/** What Retry-After says, in milliseconds: seconds or a date (RFC 9110, 10.2.3); null if nothing that can be read. Pure. */
export function readRetryAfter(header: string | null, now: number): number | null {
  const ms = /^\d+$/.test(header ?? "") ? Number(header) * 1_000 : Date.parse(header ?? "") - now;
  return Number.isNaN(ms) ? null : Math.max(ms, 0);
}
