import { WebhookError, invalidOption } from "./errors.ts";
import { refuseUnknown } from "./refuse-unknown.ts";

/** How far `webhook-timestamp` may be from the present: both ways alike, or each way by itself. */
export type Tolerance = number | { readonly past?: number | undefined; readonly future?: number | undefined };

export interface ResolvedTolerance {
  readonly pastMs: number;
  readonly futureMs: number;
}

/** Five minutes: what the reference implementations allow for clocks and queues on the way. */
export const defaultToleranceMs = 300_000;

/** Both ways in milliseconds; throws for what is no span of time. */
export function resolveTolerance(tolerance: Tolerance = defaultToleranceMs): ResolvedTolerance {
  if (typeof tolerance !== "object" || tolerance === null) {
    return resolveTolerance({ past: tolerance, future: tolerance });
  }
  refuseUnknown("toleranceMs", tolerance, ["past", "future"]);
  const { past = defaultToleranceMs, future = defaultToleranceMs } = tolerance;
  return { pastMs: span("toleranceMs.past", past), futureMs: span("toleranceMs.future", future) };
}

/**
 * The moment of the attempt in milliseconds; throws `timestamp_too_old` or `timestamp_too_new`. Compared in whole
 * seconds, because that is all the sender could say.
 */
export function checkTimestamp(timestamp: string, now: number, { pastMs, futureMs }: ResolvedTolerance): number {
  const sentAt = Number(timestamp) * 1000;
  const ageMs = Math.floor(now / 1000) * 1000 - sentAt;
  if (ageMs > pastMs) {
    throw new WebhookError(
      "timestamp_too_old",
      `Expected an attempt at most ${pastMs} ms old, got one ${ageMs} ms old: check both clocks`,
    );
  }
  if (-ageMs > futureMs) {
    throw new WebhookError(
      "timestamp_too_new",
      `Expected an attempt at most ${futureMs} ms ahead, got one ${-ageMs} ms ahead: check both clocks`,
    );
  }
  return sentAt;
}

function span(option: string, value: unknown): number {
  if (typeof value !== "number" || !(value >= 0)) throw invalidOption(option, "milliseconds, 0 or more", value);
  return value;
}
