import type { Surroundings } from "../clock.ts";
import { steadyClock } from "../steady-clock.ts";
import type { DrainPlan, Part } from "./any-broker.ts";
import type { Parts } from "./parts.ts";

/** Leaving takes this long per client, up to `spreadMs`: a lone development tab does not delay Ctrl-C. */
export const spreadPerClientMs = 10;

/** After the deadline, what ends itself at the deadline gets this long to say so; then the drain goes on without it. */
export const overtimeMs = 1_000;

/** How often the drain looks whether the subscribers have finished. */
const lookEveryMs = 20;

export interface DrainOptions {
  readonly parts: Parts;
  readonly spreadMs: number;
  readonly deadlineMs: number;
  readonly surroundings: Surroundings;
  /** From now on publications are refused. */
  readonly stopIntake: () => void;
  readonly isCaughtUp: () => boolean;
  /** Closes every subscription; resolves when their own `close` have. */
  readonly closeSubscriptions: () => Promise<void>;
  /** Gives back at once what those hold whose `close` did not end. */
  readonly abandonSubscriptions: () => Promise<void>;
  readonly closeStore: () => Promise<void>;
  /** What the subscribers that did not finish are called. */
  readonly unfinished: () => readonly string[];
}

export interface Drained {
  /** For people. */
  readonly undone: readonly string[];
  readonly tookMs: number;
}

/**
 * Ends a broker in order: refuse what is new, let sources finish, send clients away, finish publishers' work and
 * subscribers' events, close the store. Resolves with what was left undone: at the deadline at the latest, or shortly
 * after it when something did not end by itself.
 */
export async function drain(options: DrainOptions): Promise<Drained> {
  const { parts } = options;
  const { clock } = options.surroundings;
  const surroundings = { ...options.surroundings, clock: steadyClock(clock) };
  const startedAt = surroundings.clock.now();
  const deadline = startedAt + options.deadlineMs;
  const spreadMs = Math.min(options.spreadMs, parts.clients * spreadPerClientMs);
  const undone: string[] = [];
  const drainParts = async (stage: Part["stage"]): Promise<void> => {
    // Of the time of day, as parts know it now: it may have been set back meanwhile.
    const plan: DrainPlan = { spreadMs, deadline: clock.now() + deadline - surroundings.clock.now() };
    const draining = parts.drain(stage, plan);
    const isEnded = await withDeadline(draining.ended, deadline + overtimeMs, surroundings);
    undone.push(...draining.undone());
    if (!isEnded) undone.push(...draining.unended().map((name) => `${name}: did not end`));
  };
  undone.push(...parts.stop());
  await drainParts("rest");
  options.stopIntake();
  await drainParts("clients");
  await drainParts("publishers");
  await waitUntil(options.isCaughtUp, deadline, surroundings);
  if (!options.isCaughtUp()) undone.push(...options.unfinished());
  if (!(await withDeadline(options.closeSubscriptions(), deadline, surroundings))) {
    undone.push("subscribers whose close did not end");
    await withDeadline(options.abandonSubscriptions(), surroundings.clock.now() + overtimeMs, surroundings);
  }
  const storeDeadline = Math.max(deadline, surroundings.clock.now()) + overtimeMs;
  if (!(await withDeadline(options.closeStore(), storeDeadline, surroundings))) undone.push("the store did not close");
  return { undone, tookMs: surroundings.clock.now() - startedAt };
}

async function waitUntil(isDone: () => boolean, deadline: number, { clock, scheduler }: Surroundings): Promise<void> {
  while (!isDone() && clock.now() < deadline) {
    await new Promise<void>(
      (resolve) => void scheduler.after(Math.min(lookEveryMs, deadline - clock.now()), resolve, { holdsProcess: true }),
    );
  }
}

/** True when the work ended before the deadline; it gets at least one turn. */
async function withDeadline(
  work: Promise<unknown>,
  deadline: number,
  { clock, scheduler }: Surroundings,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const timer = scheduler.after(Math.max(deadline - clock.now(), 0), () => resolve(false), { holdsProcess: true });
    work.then(
      () => {
        timer.cancel();
        resolve(true);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}
