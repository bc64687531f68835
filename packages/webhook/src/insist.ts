import type { Scheduler } from "@starcast/core";

export interface Insisting {
  readonly scheduler: Scheduler;
  /** Ends it: no further try, no further wait. */
  readonly signal: AbortSignal;
  readonly onFailed: (error: unknown) => void;
}

const firstWaitMs = 100;
const longestWaitMs = 30_000;

/** Tries until it succeeds (true) or is called off (false); waits ever longer in between. Never rejects. */
export async function insist(run: () => Promise<void>, { scheduler, signal, onFailed }: Insisting): Promise<boolean> {
  for (let waitMs = firstWaitMs; !signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      await run();
      return true;
    } catch (error) {
      onFailed(error);
    }
    await waitOrAbort(waitMs, scheduler, signal);
  }
  return false;
}

function waitOrAbort(ms: number, scheduler: Scheduler, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = scheduler.after(ms, end);
    signal.addEventListener("abort", end, { once: true });
  });
}
