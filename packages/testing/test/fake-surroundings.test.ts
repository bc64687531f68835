import { fakeSurroundings, forEachSeed, seededRandom } from "@starcast/testing";
import { describe, expect, it } from "vitest";

describe("fake time", () => {
  it("runs timers in the order they fall due, and shows each its own time", async () => {
    const { clock, scheduler, ...time } = withLog();
    const start = clock.now();
    for (const [ms, name] of [
      [30, "c"],
      [10, "a"],
      [10, "b"],
    ] as const)
      scheduler.after(ms, () => time.log.push(`${name}@${clock.now() - start}`));
    await time.advance(20);
    expect(time.log).toEqual(["a@10", "b@10"]);
    expect(clock.now() - start).toBe(20);
    await time.advance(10);
    expect(time.log).toEqual(["a@10", "b@10", "c@30"]);
  });

  it("never runs what was called off", async () => {
    const { scheduler, log, advance, timers } = withLog();
    const timer = scheduler.after(10, () => log.push("never"));
    timer.cancel();
    timer.cancel();
    await advance(100);
    expect(log).toEqual([]);
    expect(timers()).toBe(0);
  });

  it("runs what a timer starts, if it falls due within the time that passes", async () => {
    const { scheduler, log, advance } = withLog();
    scheduler.after(10, () => {
      scheduler.nextTurn(() => log.push("turn"));
      void Promise.resolve().then(() => log.push("promise"));
      scheduler.after(5, () => log.push("timer"));
    });
    await advance(20);
    expect(log).toEqual(["promise", "turn", "timer"]);
  });

  it("runs one turn at a time: what a turn adds waits for the next", async () => {
    const { scheduler, log, runTurn, runUntilIdle } = withLog();
    scheduler.nextTurn(() => {
      log.push("first");
      scheduler.nextTurn(() => log.push("second"));
    });
    await runTurn();
    expect(log).toEqual(["first"]);
    await runUntilIdle();
    expect(log).toEqual(["first", "second"]);
  });

  it("gives up on what never is idle", async () => {
    const surroundings = fakeSurroundings(1, { maxTurns: 10 });
    const again = (): void => surroundings.scheduler.nextTurn(again);
    again();
    await expect(surroundings.runUntilIdle()).rejects.toThrow(/idle after 10 turns/);
  });
});

describe("seeded chance", () => {
  it("repeats itself for a seed, and differs for another", () => {
    const draw = (seed: number) =>
      Array.from(
        { length: 20 },
        (
          (random) => () =>
            random.integer(0, 1_000)
        )(seededRandom(seed)),
      );
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("gives forks that do not depend on what was drawn before", () => {
    const drawn = seededRandom(5);
    drawn.next();
    expect(drawn.fork("a").next()).toBe(seededRandom(5).fork("a").next());
    expect(seededRandom(5).fork("a").next()).not.toBe(seededRandom(5).fork("b").next());
  });

  it("covers its range evenly", () => {
    const random = seededRandom(9);
    const counts = new Map<number, number>();
    for (let drawn = 0; drawn < 6_000; drawn += 1) {
      const value = random.integer(1, 6);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect([...counts.keys()].toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  it("names the seed that failed", async () => {
    const check = (_: unknown, seed: number): void => {
      if (seed === 3) throw new Error("not three");
    };
    await expect(forEachSeed(5, check)).rejects.toThrow(/Seed 3 failed .*not three/);
  });
});

function withLog() {
  const surroundings = fakeSurroundings();
  return {
    clock: surroundings.clock,
    scheduler: surroundings.scheduler,
    log: [] as string[],
    timers: () => surroundings.timerCount,
    advance: (ms: number) => surroundings.advance(ms),
    runTurn: () => surroundings.runTurn(),
    runUntilIdle: () => surroundings.runUntilIdle(),
  };
}
