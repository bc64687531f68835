/** The time of day, in milliseconds since the Unix epoch. */
export interface Clock {
  now(): number;
}

/** Something that will happen, and can be called off. */
export interface Timer {
  /** Idempotent; after it the callback MUST NOT run. */
  cancel(): void;
}

export interface Scheduler {
  /** Runs once after `ms`. A timer holds the process alive only with `holdsProcess`. */
  after(ms: number, run: () => void, options?: { readonly holdsProcess?: boolean | undefined }): Timer;
  /** Runs once when the current turn of the event loop is over; calls keep their order. */
  nextTurn(run: () => void): void;
}

export interface Random {
  /** At least 0 and below 1. */
  next(): number;
}

/** Time and chance as Starcast sees them: one object, so that a test or a simulation can own both. */
export interface Surroundings {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

type TimeoutHandle = number | { unref?(): void };

interface Host {
  setTimeout(run: () => void, ms: number): TimeoutHandle;
  clearTimeout(handle: TimeoutHandle): void;
  readonly setImmediate?: (run: () => void) => unknown;
  readonly MessageChannel?: new () => {
    readonly port1: { onmessage: (() => void) | null };
    readonly port2: { postMessage(message: null): void };
  };
}

// Neither Node's types nor a browser's are assumed: this is what every runtime has, and what some have.
const host: Host = globalThis as unknown as Host;

// setTimeout takes at most 2^31 - 1 ms; longer waits would fire at once.
const longestTimeoutMs = 2_147_483_647;

/** The real ones. */
export const realSurroundings: Surroundings = Object.freeze({
  clock: { now: () => Date.now() },
  scheduler: { after, nextTurn: chooseNextTurn() },
  random: { next: () => Math.random() },
});

function after(ms: number, run: () => void, options?: { readonly holdsProcess?: boolean | undefined }): Timer {
  let handle: TimeoutHandle;
  const arm = (remainingMs: number): void => {
    const step = Math.min(Math.max(remainingMs, 0), longestTimeoutMs);
    handle = host.setTimeout(() => (remainingMs > step ? arm(remainingMs - step) : run()), step);
    if (options?.holdsProcess !== true && typeof handle === "object") handle.unref?.();
  };
  arm(ms);
  return { cancel: () => host.clearTimeout(handle) };
}

// Node, Bun and Deno have setImmediate, which runs after I/O of the same turn. Workers and browsers clamp nested
// timeouts to 4 ms, which a message to oneself does not.
function chooseNextTurn(): (run: () => void) => void {
  const { setImmediate } = host;
  if (setImmediate !== undefined) return (run) => void setImmediate(run);
  if (host.MessageChannel === undefined) return (run) => void host.setTimeout(run, 0);
  const waiting: (() => void)[] = [];
  const { port1, port2 } = new host.MessageChannel();
  port1.onmessage = () => waiting.shift()?.();
  return (run) => {
    waiting.push(run);
    port2.postMessage(null);
  };
}
