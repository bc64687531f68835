import type { Clock } from "./clock.ts";

/**
 * A clock for how long something takes, made of one for the time of day: set back, that one would keep whatever waits
 * waiting for as long. What passed since it was last read is lost then; set forward, it is taken for time that passed.
 * Only times of one such clock are comparable.
 */
export function steadyClock(clock: Clock): Clock {
  let setBackMs = 0;
  let latest = -Infinity;
  return {
    now: () => {
      const now = clock.now() + setBackMs;
      if (now < latest) setBackMs += latest - now;
      else latest = now;
      return latest;
    },
  };
}
