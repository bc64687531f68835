import type { Surroundings } from "@starcast/core";

export interface FakeTime extends Surroundings {
  /** The earliest timer's time; null when none is set. */
  readonly nextAt: number | null;
  /** Moves on to a time, running every timer on the way, at its own time and in order. */
  advanceTo(time: number): void;
}

/** A clock that stands still until it is moved; turns of the event loop are real, so that loopback sockets work. */
export function fakeTime(start: number = Date.parse("2025-01-01T00:00:00Z"), chance = 0.5): FakeTime {
  let now = start;
  let sequence = 0;
  const timers = new Set<{ readonly at: number; readonly sequence: number; readonly run: () => void }>();
  const first = (): { readonly at: number; readonly sequence: number; readonly run: () => void } | undefined => {
    let earliest: { readonly at: number; readonly sequence: number; readonly run: () => void } | undefined;
    for (const timer of timers) {
      if (
        earliest === undefined ||
        timer.at < earliest.at ||
        (timer.at === earliest.at && timer.sequence < earliest.sequence)
      )
        earliest = timer;
    }
    return earliest;
  };
  return {
    clock: { now: () => now },
    random: { next: () => chance },
    scheduler: {
      nextTurn: (run) => void setImmediate(run),
      after: (ms, run) => {
        const timer = { at: now + Math.max(ms, 0), sequence: (sequence += 1), run };
        timers.add(timer);
        return { cancel: () => void timers.delete(timer) };
      },
    },
    get nextAt() {
      return first()?.at ?? null;
    },
    advanceTo(time) {
      for (let timer = first(); timer !== undefined && timer.at <= time; timer = first()) {
        timers.delete(timer);
        now = timer.at;
        timer.run();
      }
      now = Math.max(now, time);
    },
  };
}

/** So many turns of the event loop. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
}
