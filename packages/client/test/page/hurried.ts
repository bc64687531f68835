import type { Surroundings } from "@starcast/client";
import { realSurroundings } from "../../src/surroundings.ts";

/** The real ones, but for timers, which run so many times as fast: those between two tries, or all. */
export function hurried(pace: number, areAllTimersFast = false): Surroundings {
  return {
    ...realSurroundings,
    scheduler: {
      after: (ms, run, held) =>
        realSurroundings.scheduler.after(held?.holdsProcess === true || areAllTimersFast ? ms / pace : ms, run, held),
    },
  };
}
