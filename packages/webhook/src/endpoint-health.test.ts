import { describe, expect, it } from "vitest";
import { EndpointHealth, firstWindow, longestRestMs, releaseRate, type HealthLimits } from "./endpoint-health.ts";

const options = { breakerFailurePercent: 70, breakerMinAttempts: 10, breakerRestMs: 30_000, disableAfterDays: 5 };
const url = "https://hooks.partner.com/";
const start = 1_700_000_000_000;

function health(limits: Partial<HealthLimits> = {}): EndpointHealth {
  return new EndpointHealth(options, { url, concurrency: 8, ratePerSecond: Infinity, ...limits }, start);
}

/** So many attempts, one after the other. */
function attempts(of: EndpointHealth, count: number, isSuccess: boolean, now: number): string[] {
  return Array.from({ length: count }, () => {
    of.began(now);
    return of.ended(isSuccess, now);
  });
}

describe("the share of an endpoint", () => {
  it("begins small, grows by one with each success, and ends at its concurrency", () => {
    const of = health();
    expect(of.room(start)).toBe(firstWindow);
    attempts(of, 3, true, start);
    expect(of.room(start)).toBe(firstWindow + 3);
    attempts(of, 100, true, start);
    expect(of.room(start)).toBe(8);
  });

  it("halves with each failure, down to one", () => {
    const of = health();
    attempts(of, 20, true, start);
    const rooms = [1, 2, 3, 4].map(() => {
      attempts(of, 1, false, start);
      return of.room(start);
    });
    expect(rooms).toEqual([4, 2, 1, 1]);
  });

  it("is what is not under way", () => {
    const of = health();
    of.began(start);
    expect(of.room(start)).toBe(firstWindow - 1);
    of.began(start);
    expect(of.room(start)).toBe(0);
    expect(of.roomAt(start)).toBeNull();
    of.dropped();
    expect(of.room(start)).toBe(1);
  });

  it("follows a changed concurrency", () => {
    const of = health();
    attempts(of, 20, true, start);
    of.setLimits({ url, concurrency: 3, ratePerSecond: Infinity });
    expect(of.room(start)).toBe(3);
  });
});

describe("the breaker", () => {
  it("opens at 70 % of ten, not before", () => {
    expect(attempts(health(), 9, false, start)).not.toContain("rested");
    expect(attempts(health(), 10, false, start).at(-1)).toBe("rested");
    const mixed = health();
    attempts(mixed, 4, true, start);
    expect(attempts(mixed, 9, false, start)).not.toContain("rested");
    expect(attempts(mixed, 1, false, start)).toEqual(["rested"]);
  });

  it("forgets what is older than five minutes", () => {
    const of = health();
    attempts(of, 9, false, start);
    expect(attempts(of, 9, false, start + 310_000)).not.toContain("rested");
    expect(attempts(of, 1, false, start + 310_000)).toEqual(["rested"]);
  });

  it("lets nothing through until the rest is over, then one probe", () => {
    const of = health();
    attempts(of, 10, false, start);
    expect(of.room(start + 29_999)).toBe(0);
    expect(of.roomAt(start)).toBe(start + 30_000);
    expect(of.room(start + 30_000)).toBe(1);
    of.began(start + 30_000);
    expect(of.room(start + 30_000)).toBe(0);
    expect(of.roomAt(start + 30_000)).toBeNull();
  });

  it("rests twice as long after a failed probe, ten minutes at most", () => {
    const of = health();
    attempts(of, 10, false, start);
    let now = start;
    const rests: number[] = [];
    for (let probe = 0; probe < 7; probe += 1) {
      const until = of.restsUntil ?? 0;
      rests.push(until - now);
      now = until;
      attempts(of, 1, false, now);
    }
    expect(rests).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, longestRestMs, longestRestMs]);
  });

  it("is not prolonged by attempts from before the rest", () => {
    const of = health();
    attempts(of, 20, true, start - 400_000);
    for (let count = 0; count < 8; count += 1) of.began(start);
    attempts(of, 10, false, start);
    const until = of.restsUntil;
    expect(of.ended(false, start + 10)).toBe("none");
    expect(of.restsUntil).toBe(until);
  });

  it("lets the backlog out at a rising rate after a probe that succeeded", () => {
    const of = health({ concurrency: 256 });
    attempts(of, 10, false, start);
    const recoveredAt = start + 30_000;
    expect(attempts(of, 1, true, recoveredAt)).toEqual(["recovered"]);
    const perSecond = Array.from({ length: 12 }, () => 0);
    for (let ms = 0; ms < 12_000; ms += 10) {
      const now = recoveredAt + ms;
      for (let room = Math.min(of.room(now), 100); room > 0; room -= 1) {
        attempts(of, 1, true, now);
        perSecond[Math.floor(ms / 1_000)] = (perSecond[Math.floor(ms / 1_000)] ?? 0) + 1;
      }
    }
    expect(perSecond[0]).toBeLessThanOrEqual(12);
    for (let second = 1; second < 8; second += 1) {
      expect(perSecond[second]).toBeGreaterThan((perSecond[second - 1] ?? 0) * 1.5);
      expect(perSecond[second]).toBeLessThanOrEqual(releaseRate(second * 1_000) * 1.2);
    }
    expect(releaseRate(10_000)).toBe(Infinity);
  });
});

describe("the rate", () => {
  it.each([1, 3, 10, 50, 1_000])("of %i per second holds over a minute, whatever is asked", (ratePerSecond) => {
    const of = health({ ratePerSecond, concurrency: 256 });
    let done = 0;
    for (let now = start; now < start + 60_000; now += 7) {
      while (of.room(now) > 0) {
        attempts(of, 1, true, now);
        done += 1;
      }
      expect(done).toBeLessThanOrEqual(((now - start) * ratePerSecond) / 1_000 + Math.max(1, ratePerSecond / 10) + 1);
    }
    expect(done).toBeGreaterThanOrEqual(60 * ratePerSecond * 0.95);
  });

  it("says when the next may pass", () => {
    const of = health({ ratePerSecond: 2 });
    attempts(of, 1, true, start);
    expect(of.room(start)).toBe(0);
    const at = of.roomAt(start) ?? 0;
    expect(at - start).toBe(500);
    expect(of.room(at)).toBe(1);
  });
});
