import { Judge } from "./judge.ts";
import type { NamedLife } from "./named-life.ts";
import type { Stage } from "./stage.ts";

/** Judges a holder of a durable subscription: it begins where the engine has saved, each time that it takes the lease. */
export function judgeOfHolder(stage: Stage, life: NamedLife): Judge {
  return new Judge({
    label: life.name,
    truth: stage.truth,
    sieve: life.sieve,
    start: () => life.expectedStart(),
    isHealthy: false,
    lease: () => stage.leaseOf(life.name),
    trace: (what) => stage.trace(what),
    report: (problem) => stage.report(problem),
  });
}
