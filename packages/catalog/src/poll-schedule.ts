import type { SyncReport } from "./sync-report.ts";

/** How the last poll ended. */
export type PollOutcome = SyncReport["kind"] | "failed";

/** The first wait after a failure; doubled with each further one, up to the interval. */
export const firstRetryMs = 1_000;

/**
 * When to poll next. Waits differ by chance, so that many services that started together do not ask a source together;
 * a process standing by looks whether the other one is done. Pure.
 */
export function nextPollMs(outcome: PollOutcome, failures: number, intervalMs: number, chance: number): number {
  if (outcome === "failed") {
    return Math.min(intervalMs, firstRetryMs * 2 ** Math.min(failures - 1, 20)) * (0.5 + chance / 2);
  }
  if (outcome === "standby") return Math.min(intervalMs, firstRetryMs * 5) * (0.5 + chance / 2);
  return intervalMs * (0.9 + chance / 5);
}
