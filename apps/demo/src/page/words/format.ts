const plain = new Intl.NumberFormat("en");

/** `12,345`. */
export function count(value: number): string {
  return plain.format(value);
}

/** `$0.25`; an em dash where there is none. */
export function money(price: number | null): string {
  if (price === null) return "—";
  const text = String(Number(price.toPrecision(3)));
  const [whole = "0", cents = ""] = text.split(".");
  return `$${count(Number(whole))}.${cents.padEnd(2, "0")}`;
}

/** `128k`, of tokens. */
export function tokens(value: unknown): string {
  if (typeof value !== "number") return "—";
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toPrecision(2))}M`;
  return value >= 1_000 ? `${Math.round(value / 1_000)}k` : String(value);
}

/** `512 B`, `64 kB`, `1.2 MB`. */
export function bytes(value: number): string {
  if (value < 1_000) return `${value} B`;
  return value < 1_000_000 ? `${Math.round(value / 1_000)} kB` : `${(value / 1_000_000).toFixed(1)} MB`;
}

/** `now`, `12 s`, `3 min`. */
export function ago(thenMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - thenMs) / 1_000);
  if (seconds < 2) return "now";
  if (seconds < 60) return `${seconds} s`;
  return seconds < 3_600 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}

/** `2 ms`, `1.4 s`; an em dash where nothing was measured. */
export function duration(ms: number | null): string {
  if (ms === null) return "—";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}
