import type { Random } from "@starcast/core";

/** Ten attempts in about three days: soon while it may be a blip, rarely once it is an outage. */
export const defaultScheduleMs: readonly number[] = Object.freeze([
  0,
  5_000,
  5 * 60_000,
  30 * 60_000,
  2 * 3_600_000,
  5 * 3_600_000,
  10 * 3_600_000,
  14 * 3_600_000,
  20 * 3_600_000,
  24 * 3_600_000,
]);

/** Share by which a wait is longer or shorter at random, so that what failed together does not come back together. */
export const jitterShare = 0.2;

/** What an answer wishes of the wait before the next attempt. */
export interface WaitWish {
  /** `Retry-After`, when the endpoint sent one. */
  readonly retryAfterMs: number | null;
  /** The endpoint is overwhelmed: give it at least this long. */
  readonly atLeastMs: number;
}

/**
 * How long to wait after attempt number `attempt` (from 1) failed; null when that was the last one. Within 20 % of the
 * schedule; a `Retry-After` is followed between one and two times the scheduled wait. Pure but for `random`.
 */
export function waitAfter(
  attempt: number,
  scheduleMs: readonly number[],
  wish: WaitWish,
  random: Random,
): number | null {
  const baseMs = scheduleMs[attempt];
  if (baseMs === undefined) return null;
  const jitteredMs = baseMs * (1 - jitterShare + 2 * jitterShare * random.next());
  const wishedMs =
    wish.retryAfterMs === null ? jitteredMs : Math.min(Math.max(wish.retryAfterMs, jitteredMs, baseMs), 2 * baseMs);
  return Math.round(Math.max(wishedMs, wish.atLeastMs));
}

/** The wait `Retry-After` asks for: seconds, or an HTTP date; null for none, or for what is neither. */
export function parseRetryAfter(value: string | null, now: number): number | null {
  if (value === null) return null;
  const text = value.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  // RFC 9110 5.6.7; only the preferred form, which is what is sent in practice.
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return null;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(at - now, 0);
}
