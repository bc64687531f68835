import type { Surroundings } from "../src/clock.ts";

/** Time that passes only when a test says so; turns are the event loop's own. */
export interface FakeTime extends Surroundings {
  /** Timers that wait. */
  readonly timers: number;
  /** Lets time pass, timer by timer, with a few turns after each. */
  advance(ms: number): Promise<void>;
}

export function fakeTime(): FakeTime {
  let now = Date.UTC(2026, 0, 1);
  const timers = new Set<{ readonly at: number; readonly run: () => void }>();
  return {
    clock: { now: () => now },
    random: { next: () => 0.5 },
    scheduler: {
      after: (ms, run) => {
        const timer = { at: now + ms, run };
        timers.add(timer);
        return { cancel: () => void timers.delete(timer) };
      },
      nextTurn: (run) => void setImmediate(run),
    },
    get timers() {
      return timers.size;
    },
    async advance(ms) {
      const until = now + ms;
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at);
        if (next === undefined) break;
        timers.delete(next);
        now = Math.max(now, next.at);
        next.run();
        await turns(5);
      }
      now = until;
      await turns(5);
    },
  };
}

/** Turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Turns until it is so. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turns(1);
}
