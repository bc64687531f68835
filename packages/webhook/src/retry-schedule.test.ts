import { describe, expect, it } from "vitest";
import { defaultScheduleMs, jitterShare, parseRetryAfter, waitAfter } from "./retry-schedule.ts";

const noWish = { retryAfterMs: null, atLeastMs: 0 };
const always = (value: number) => ({ next: () => value });

describe("the wait after a failed attempt", () => {
  it("follows the schedule, and ends with it", () => {
    const waits = defaultScheduleMs.map((_, index) => waitAfter(index + 1, defaultScheduleMs, noWish, always(0.5)));
    expect(waits).toEqual([...defaultScheduleMs.slice(1), null]);
  });

  it("stays within the jitter for any chance", () => {
    for (let attempt = 1; attempt < defaultScheduleMs.length; attempt += 1) {
      const base = defaultScheduleMs[attempt] ?? 0;
      for (const chance of [0, 0.1, 0.25, 0.5, 0.75, 0.999_999]) {
        const wait = waitAfter(attempt, defaultScheduleMs, noWish, always(chance));
        expect(wait).toBeGreaterThanOrEqual(Math.round(base * (1 - jitterShare)));
        expect(wait).toBeLessThanOrEqual(Math.round(base * (1 + jitterShare)));
      }
    }
  });

  it("keeps any Retry-After between one and two times the scheduled wait", () => {
    for (let attempt = 1; attempt < defaultScheduleMs.length; attempt += 1) {
      const base = defaultScheduleMs[attempt] ?? 0;
      for (const retryAfterMs of [0, 1, base - 1, base, base * 1.5, base * 2, base * 2 + 1, 1e12]) {
        for (const chance of [0, 0.5, 0.999_999]) {
          const wait = waitAfter(attempt, defaultScheduleMs, { retryAfterMs, atLeastMs: 0 }, always(chance)) ?? 0;
          expect(wait).toBeGreaterThanOrEqual(base);
          expect(wait).toBeLessThanOrEqual(2 * base);
          if (retryAfterMs >= 1.2 * base && retryAfterMs <= 2 * base) expect(wait).toBe(Math.round(retryAfterMs));
        }
      }
    }
  });

  it("is at least a minute for an endpoint that is overwhelmed", () => {
    expect(waitAfter(1, defaultScheduleMs, { retryAfterMs: null, atLeastMs: 60_000 }, always(0))).toBe(60_000);
    expect(waitAfter(3, defaultScheduleMs, { retryAfterMs: null, atLeastMs: 60_000 }, always(0.5))).toBe(1_800_000);
  });
});

describe("Retry-After", () => {
  const now = Date.parse("2025-01-01T00:00:00Z");

  it.each([
    [null, null],
    ["120", 120_000],
    [" 5 ", 5_000],
    ["0", 0],
    ["Wed, 01 Jan 2025 00:01:00 GMT", 60_000],
    ["Tue, 31 Dec 2024 23:00:00 GMT", 0],
    ["-5", null],
    ["1.5", null],
    ["1e9", null],
    ["tomorrow", null],
    ["2025-01-01", null],
    ["Wed, 99 Jan 2025 00:01:00 GMT", null],
    ["9999999999", null],
  ])("%s is %s", (value, expected) => {
    expect(parseRetryAfter(value, now)).toBe(expected);
  });
});
