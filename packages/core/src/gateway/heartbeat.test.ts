import type { Surroundings } from "../clock.ts";
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

const nothing = (): void => undefined;

function member(dueAt: number, onBeat: (self: { dueAt: number }, now: number) => void): Beating {
  const self = { dueAt, beat: (now: number) => onBeat(self, now) };
  return self;
}

describe("the heartbeat", () => {
  it("looks at everybody whose time has come, with one timer", () => {
    const { surroundings, advance, timers } = makeTime();
    const seen: string[] = [];
    const due = (name: string, dueAt: number): Beating =>
      member(dueAt, (self, now) => {
        seen.push(`${name}@${now}`);
        self.dueAt = Infinity;
      });
    new Heartbeat(surroundings, 100, new Set([due("a", 100), due("b", 250), due("c", 300)]), nothing).start();
    expect(timers()).toBe(1);
    advance(1_000);
    expect(seen).toEqual(["a@100", "b@300", "c@300"]);
    expect(timers()).toBe(1);
  });

  it("has no timer when nobody is there any more, and one again for the next", () => {
    const { surroundings, advance, timers } = makeTime();
    const members = new Set([member(100, () => members.clear())]);
    const heartbeat = new Heartbeat(surroundings, 100, members, nothing);
    heartbeat.start();
    advance(100);
    expect(timers()).toBe(0);
    members.add(member(1_000, () => undefined));
    heartbeat.start();
    heartbeat.start();
    expect(timers()).toBe(1);
    heartbeat.stop();
    heartbeat.stop();
    expect(timers()).toBe(0);
  });

  it("stays one timer when somebody starts it while it looks", () => {
    const { surroundings, advance, timers } = makeTime();
    const members = new Set<Beating>();
    const heartbeat = new Heartbeat(surroundings, 100, members, nothing);
    members.add(member(100, () => heartbeat.start()));
    heartbeat.start();
    advance(100);
    expect(timers()).toBe(1);
  });
});
