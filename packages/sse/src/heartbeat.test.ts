import type { Surroundings } from "@starcast/core";
import { describe, expect, it } from "vitest";
import { Heartbeat, type Beating } from "./heartbeat.ts";

/** Time that moves by hand, and how many timers run in it. */
function makeTime(): { surroundings: Surroundings; advance(ms: number): void; timers(): number } {
  let now = 0;
  const timers = new Map<() => void, number>();
  const surroundings: Surroundings = {
    clock: { now: () => now },
    scheduler: {
      after: (ms, run) => {
        const fire = (): void => run();
        timers.set(fire, now + ms);
        return { cancel: () => void timers.delete(fire) };
      },
      nextTurn: (run) => queueMicrotask(run),
    },
    random: { next: () => 0.5 },
  };
  const advance = (ms: number): void => {
    const until = now + ms;
    for (;;) {
      const [next] = [...timers].filter(([, at]) => at <= until).toSorted(([, a], [, b]) => a - b);
      if (next === undefined) break;
      now = next[1];
      timers.delete(next[0]);
      next[0]();
    }
    now = until;
  };
  return { surroundings, advance, timers: () => timers.size };
}

function member(dueAt: number, onBeat: (self: { dueAt: number }, now: number) => void): Beating {
  const self = { dueAt, beat: (now: number) => onBeat(self, now) };
  return self;
}

describe("the heartbeat", () => {
  it("looks at everybody whose time has come, with one timer", () => {
    const { surroundings, advance, timers } = makeTime();
    const heartbeat = new Heartbeat(surroundings, 100);
    const seen: string[] = [];
    for (const [name, dueAt] of [
      ["a", 100],
      ["b", 250],
      ["c", 300],
    ] as const) {
      heartbeat.add(
        member(dueAt, (self, now) => {
          seen.push(`${name}@${now}`);
          self.dueAt = Infinity;
        }),
      );
    }
    expect(timers()).toBe(1);
    advance(1_000);
    expect(seen).toEqual(["a@100", "b@300", "c@300"]);
    expect(timers()).toBe(1);
  });

  it("has no timer when nobody is there, and one again for the next", () => {
    const { surroundings, timers } = makeTime();
    const heartbeat = new Heartbeat(surroundings, 100);
    const one = member(100, () => undefined);
    heartbeat.add(one);
    heartbeat.delete(one);
    expect(timers()).toBe(0);
    heartbeat.add(one);
    expect(timers()).toBe(1);
    heartbeat.close();
    expect(timers()).toBe(0);
  });

  it("stays one timer when members leave and come while it looks at them", () => {
    const { surroundings, advance, timers } = makeTime();
    const heartbeat = new Heartbeat(surroundings, 100);
    const next = member(1_000, () => undefined);
    const leaver: Beating = member(100, () => {
      heartbeat.delete(leaver);
      heartbeat.add(next);
    });
    heartbeat.add(leaver);
    advance(100);
    expect(timers()).toBe(1);
    heartbeat.delete(next);
    expect(timers()).toBe(0);
  });
});
