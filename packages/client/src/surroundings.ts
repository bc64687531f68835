/** Something that will happen, and can be called off. */
export interface Timer {
  /** Idempotent; after it the callback MUST NOT run. */
  cancel(): void;
}

/** Time and chance as a client sees them: the same shape as core's, so that one fake serves both. */
export interface Surroundings {
  readonly clock: { now(): number };
  readonly scheduler: {
    /** Runs once after `ms`. A timer holds the process alive only with `holdsProcess`. */
    after(ms: number, run: () => void, options?: { readonly holdsProcess?: boolean | undefined }): Timer;
  };
  readonly random: { next(): number };
}

type TimeoutHandle = number | { unref?(): void };

/** The real ones. */
export const realSurroundings: Surroundings = {
  clock: { now: () => Date.now() },
  scheduler: {
    after(ms: number, run: () => void, options?: { readonly holdsProcess?: boolean | undefined }): Timer {
      const handle = setTimeout(run, ms) as TimeoutHandle;
      if (options?.holdsProcess !== true && typeof handle === "object") handle.unref?.();
      return { cancel: () => clearTimeout(handle as number) };
    },
  },
  random: { next: () => Math.random() },
};
