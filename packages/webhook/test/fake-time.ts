import type { Surroundings } from "@starcast/core";
import { fakeSurroundings } from "@starcast/testing";

export interface FakeTime extends Surroundings {
  /** The earliest timer's time; null when none is set. */
  readonly nextAt: number | null;
  /** Moves on to a time, running every timer on the way, at its own time and in order. */
  advanceTo(time: number): Promise<void>;
}

/** A clock that stands still until it is moved; turns of the event loop are real, so that loopback sockets work. */
export function fakeTime(startsAt: number = Date.parse("2025-01-01T00:00:00Z"), chance = 0.5): FakeTime {
  const fake = fakeSurroundings(1, { startsAt, turns: "real" });
  const { clock, scheduler } = fake;
  return {
    clock,
    scheduler,
    random: { next: () => chance },
    get nextAt() {
      const inMs = fake.nextTimerInMs;
      return inMs === null ? null : clock.now() + inMs;
    },
    advanceTo: (time) => fake.advance(Math.max(time - clock.now(), 0)),
  };
}

/** So many turns of the event loop. */
export async function turns(count = 1): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
}
