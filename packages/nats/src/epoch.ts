import { StarcastError } from "@starcast/core";

/**
 * The epoch of a stream: when it was created, to the nanosecond, in base 36. A stream that was deleted and made again is
 * another log, whatever its name. `renewals` counts how often an acknowledged tail was found to be lost since.
 */
export function epochOf(created: string, renewals: number): string {
  const match = /^(.{19})(?:\.(\d{1,9}))?Z$/.exec(created);
  const seconds = match?.[1] === undefined ? NaN : Date.parse(`${match[1]}Z`) / 1_000;
  if (!Number.isFinite(seconds))
    throw new StarcastError("store_corrupt", "Expected the stream to say when it was created, got no time");
  const nanoseconds = BigInt(seconds) * 1_000_000_000n + BigInt((match?.[2] ?? "").padEnd(9, "0"));
  return renewals === 0 ? nanoseconds.toString(36) : `${nanoseconds.toString(36)}x${renewals.toString(36)}`;
}

/** How often the numbering was started over, as the stream's description keeps it. */
export function renewalsIn(description: string | undefined): number {
  return Number(/ renewed (\d{1,9})$/.exec(description ?? "")?.[1] ?? 0);
}

export function describeStream(renewals: number): string {
  return renewals === 0 ? "Starcast events" : `Starcast events renewed ${renewals}`;
}
