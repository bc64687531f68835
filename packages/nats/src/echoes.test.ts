import { fakeSurroundings, type FakeSurroundings } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { Echoes } from "./echoes.ts";

function begin(newest = 0): { readonly time: FakeSurroundings; readonly echoes: Echoes } {
  const time = fakeSurroundings();
  return { time, echoes: new Echoes({ surroundings: time, timeoutMs: 1_000, newest }) };
}

describe("what came back from the stream", () => {
  it("settles who waits for it, in order, on one timer", async () => {
    const { time, echoes } = begin();
    const settled: number[] = [];
    const waiting = [1, 2, 2].map((sequence) => echoes.reached(sequence).then(() => settled.push(sequence)));
    expect(time.timerCount).toBe(1);
    echoes.came(1);
    await waiting[0];
    expect(settled).toEqual([1]);
    echoes.came(2);
    await Promise.all(waiting);
    expect(settled).toEqual([1, 2, 2]);
    await time.advance(1_000);
    expect(time.timerCount).toBe(0);
  });

  it("is known at once afterwards", async () => {
    const { time, echoes } = begin(1);
    echoes.came(2);
    await Promise.all([echoes.reached(1), echoes.reached(2)]);
    expect(time.timerCount).toBe(0);
  });

  it("settles those it skipped, as retention took them", async () => {
    const { echoes } = begin();
    const waiting = Promise.all([echoes.reached(1), echoes.reached(3), echoes.reached(5)]);
    echoes.came(5);
    await waiting;
  });

  it("is waited for no longer than allowed, however late others came", async () => {
    const { time, echoes } = begin();
    const first = echoes.reached(1).catch((error: unknown) => error);
    await time.advance(750);
    const alsoFirst = echoes.reached(1);
    const second = echoes.reached(2);
    await time.advance(250);
    expect(await first).toMatchObject({ code: "timed_out" });
    echoes.came(1);
    echoes.came(2);
    await Promise.all([alsoFirst, second]);
  });

  it("is waited for no longer when the clock is set back", async () => {
    const time = fakeSurroundings();
    const offset = { ms: 0 };
    const surroundings = { ...time, clock: { now: () => time.clock.now() + offset.ms } };
    const echoes = new Echoes({ surroundings, timeoutMs: 1_000, newest: 0 });
    const failed = echoes.reached(1).catch((error: unknown) => error);
    offset.ms = -3 * 3_600_000;
    await time.advance(1_250);
    expect(time.timerCount).toBe(0);
    expect(await failed).toMatchObject({ code: "timed_out" });
  });

  it("is waited for by nobody once it is closed", async () => {
    const { time, echoes } = begin();
    const waiting = echoes.reached(1);
    echoes.close();
    await expect(waiting).rejects.toMatchObject({ code: "log_closed" });
    await expect(echoes.reached(1)).rejects.toMatchObject({ code: "log_closed" });
    expect(time.timerCount).toBe(0);
  });
});
