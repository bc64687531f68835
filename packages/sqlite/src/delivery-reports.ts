import { StarcastError, type Attempt, type Claim, type DeadReason } from "@starcast/core";
import type { HeldClaim } from "./delivery-claims.ts";
import type { DeliveryWriter } from "./delivery-writer.ts";
import type { GroupCommit } from "./group-commit.ts";

/** What became of a claim. */
export type Outcome =
  | { readonly kind: "succeeded"; readonly attempt: Attempt }
  | { readonly kind: "dead"; readonly attempt: Attempt; readonly reason: DeadReason }
  | { readonly kind: "retry"; readonly attempt: Attempt; readonly dueAt: number }
  | { readonly kind: "released"; readonly dueAt: number };

export interface Report {
  readonly held: HeldClaim;
  readonly outcome: Outcome;
}

interface WaitingReport extends Report {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Outcomes that go with the next commit: written together, as most of what one costs is the call, and told one by one. */
export class DeliveryReports {
  readonly #commit: GroupCommit;
  readonly #writer: DeliveryWriter;
  readonly #onEnded: (held: HeldClaim) => void;
  readonly #onFailed: (held: HeldClaim) => void;
  #open: WaitingReport[] | null = null;

  constructor(options: {
    readonly commit: GroupCommit;
    readonly writer: DeliveryWriter;
    /** Its outcome is in the file. */
    readonly onEnded: (held: HeldClaim) => void;
    /** It was not written: the claim stands as before. */
    readonly onFailed: (held: HeldClaim) => void;
  }) {
    this.#commit = options.commit;
    this.#writer = options.writer;
    this.#onEnded = options.onEnded;
    this.#onFailed = options.onFailed;
  }

  /** Resolves when it is in the file; rejects with `stale_claim` when there is no such unfinished delivery any more. */
  add(held: HeldClaim, outcome: Outcome): Promise<void> {
    held.isReported = true;
    return new Promise((resolve, reject) => {
      this.#gather().push({ held, outcome, resolve, reject });
    });
  }

  /** What is reported from now on is written after what was asked for until now. */
  seal(): void {
    this.#open = null;
  }

  #gather(): WaitingReport[] {
    if (this.#open !== null) return this.#open;
    const reports: WaitingReport[] = [];
    this.#open = reports;
    void this.#write(reports);
    return reports;
  }

  async #write(reports: WaitingReport[]): Promise<void> {
    let isFirstTry = true;
    try {
      const stale = await this.#commit.write(
        () => {
          if (this.#open === reports) this.#open = null;
          const together = isFirstTry;
          isFirstTry = false;
          return this.#writer.settle(reports, { together });
        },
        (missing) => {
          for (const report of reports)
            if (!missing.has(report) || report.outcome.kind === "released") this.#onEnded(report.held);
        },
      );
      for (const report of reports) {
        // A claim that is given back was not to change anything anyhow.
        if (stale.has(report) && report.outcome.kind !== "released") this.#refuse(report, staleClaim(report.held));
        else report.resolve();
      }
    } catch (error) {
      if (this.#open === reports) this.#open = null;
      for (const report of reports) this.#refuse(report, error);
    }
  }

  #refuse({ held, reject }: WaitingReport, error: unknown): void {
    this.#onFailed(held);
    reject(error);
  }
}

export function staleClaim({ delivery: { endpointId, event } }: Claim): StarcastError {
  return new StarcastError(
    "stale_claim",
    `Expected the latest claim of ${event.id} for \`${endpointId}\`, got one that was claimed again or finished since`,
  );
}
