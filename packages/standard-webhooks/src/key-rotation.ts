import { WebhookError, invalidOption } from "./errors.ts";
import { keyLimits, parseKey, parseRecord, type KeyRecord } from "./keys.ts";
import { refuseUnknown } from "./refuse-unknown.ts";

/** Which key takes over, and how long those before it stay. */
export interface RotateOptions {
  /** The key that takes over. */
  readonly next: string;
  /** How long the keys before it go on signing and verifying: a working day for every receiver to change over. @default 86_400_000 */
  readonly overlapMs?: number | undefined;
  /** The present, in milliseconds since 1970. @default Date.now() */
  readonly now?: number | undefined;
}

const defaultOverlapMs = 24 * 60 * 60 * 1000;

/**
 * The keys after a rotation, the new one first: those before it expire after the overlap (or earlier, as they would
 * have), expired ones are gone, and when more than ten remain, those that expire first go first. Throws `invalid_key` for
 * a key that is none, and for a `next` that is in use.
 */
export function rotateKeys(keys: readonly (string | KeyRecord)[], options: RotateOptions): readonly KeyRecord[] {
  refuseUnknown("options", options, ["next", "overlapMs", "now"]);
  const { next, overlapMs = defaultOverlapMs, now = Date.now() } = options;
  if (typeof overlapMs !== "number" || !(overlapMs >= 0)) {
    throw invalidOption("overlapMs", "a number of milliseconds, 0 or more", overlapMs);
  }
  if (!Number.isFinite(now)) throw invalidOption("now", "milliseconds since 1970, such as Date.now() gives", now);
  parseKey(next);
  if (!Array.isArray(keys)) throw invalidOption("keys", "a list of keys", keys);
  const records = keys.map((key) => (typeof key === "string" ? { key } : key));
  for (const record of records) parseRecord(record);
  if (records.some(({ key }) => key === next)) {
    throw new WebhookError("invalid_key", "Expected `next` to be a new key, got one that is already in use");
  }
  const end = now + overlapMs;
  const outgoing = records
    .map(({ key, expiresAt = Infinity }) => ({ key, expiresAt: Math.min(expiresAt, end) }))
    .filter(({ expiresAt }) => expiresAt > now)
    .toSorted((a, b) => b.expiresAt - a.expiresAt)
    .slice(0, keyLimits.maxKeys - 1);
  return [{ key: next }, ...outgoing];
}
