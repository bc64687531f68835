import type { Moment } from "@starcast/core";
import type {} from "@starcast/webhook";
import type { AttemptReport } from "../status/report.ts";

/** Attempts that are shown. */
export const maxAttemptsShown = 6;

/** What came of the newest webhook attempts, and of all of them in two numbers. */
export class AttemptBoard {
  #attempts: readonly AttemptReport[] = [];
  #succeeded = 0;
  #failed = 0;

  /** An observer; bound. */
  readonly observe = (moment: Moment): void => {
    if (moment.kind !== "webhookAttempted") return;
    const { endpointId, eventId, attempt, category, tookMs } = moment;
    if (category === "succeeded") this.#succeeded += 1;
    else this.#failed += 1;
    this.#attempts = [{ endpointId, eventId, attempt, category, tookMs }, ...this.#attempts].slice(0, maxAttemptsShown);
  };

  report(): { readonly succeeded: number; readonly failed: number; readonly attempts: readonly AttemptReport[] } {
    return { succeeded: this.#succeeded, failed: this.#failed, attempts: this.#attempts };
  }
}
