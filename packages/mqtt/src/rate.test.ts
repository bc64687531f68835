import { describe, expect, it } from "vitest";
import { Rate } from "./rate.ts";

function arrange(perSecond: number) {
  const clock = { at: 0, now: () => clock.at };
  const rate = new Rate(perSecond, clock);
  const takeAll = (): number => {
    for (let taken = 0; ; taken += 1) if (taken > 1_000 || !rate.take()) return taken;
  };
  return { clock, rate, takeAll };
}

describe("a rate", () => {
  it("allows a tenth of a second's worth at once, then one at a time", () => {
    const { clock, rate, takeAll } = arrange(100);
    expect(takeAll()).toBe(10);
    expect(rate.waitMs).toBe(10);
    clock.at += 10;
    expect(takeAll()).toBe(1);
    clock.at += 60_000;
    expect(takeAll()).toBe(10);
  });

  it("is what it says over a long time", () => {
    const { clock, takeAll } = arrange(50);
    let taken = takeAll();
    for (; clock.at < 10_000; clock.at += 7) taken += takeAll();
    expect(taken).toBeGreaterThan(490);
    expect(taken).toBeLessThan(510);
  });

  it("neither gives nor takes when the clock is set back", () => {
    const { clock, rate, takeAll } = arrange(10);
    takeAll();
    clock.at -= 5_000;
    expect(rate.take()).toBe(false);
    expect(rate.waitMs).toBe(100);
  });

  it("does not limit when there is none", () => {
    const { rate, takeAll } = arrange(Infinity);
    expect(takeAll()).toBe(1_001);
    expect(rate.waitMs).toBe(0);
  });
});
