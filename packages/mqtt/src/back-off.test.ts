import { describe, expect, it } from "vitest";
import { BackOff } from "./back-off.ts";

function waits(random: number, count: number): readonly number[] {
  const backOff = new BackOff({ minMs: 1_000, maxMs: 30_000 }, { next: () => random });
  return Array.from({ length: count }, () => backOff.next());
}

describe("the wait before another attempt", () => {
  it("is anywhere below a ceiling that doubles up to the limit", () => {
    expect(waits(0.999_999, 8)).toEqual([999, 1_999, 3_999, 7_999, 15_999, 29_999, 29_999, 29_999]);
    expect(waits(0.5, 7)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
    expect(waits(0, 3)).toEqual([0, 0, 0]);
  });

  it("starts from the beginning after a reset", () => {
    const backOff = new BackOff({ minMs: 1_000, maxMs: 30_000 }, { next: () => 0.5 });
    backOff.next();
    backOff.next();
    backOff.reset();
    expect(backOff.next()).toBe(500);
  });

  it("stays finite after any number of failures", () => {
    const backOff = new BackOff({ minMs: 1, maxMs: Number.MAX_SAFE_INTEGER }, { next: () => 0.5 });
    for (let attempt = 0; attempt < 5_000; attempt += 1) expect(Number.isSafeInteger(backOff.next())).toBe(true);
  });
});
