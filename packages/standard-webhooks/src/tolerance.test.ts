import { describe, expect, it } from "vitest";
import { checkTimestamp, resolveTolerance, type Tolerance } from "./tolerance.ts";

const now = 1_700_000_000_999;

describe("an attempt", () => {
  it("is let through up to five minutes of age, and up to five minutes ahead, in whole seconds", () => {
    const tolerance = resolveTolerance();
    expect(checkTimestamp("1700000000", now, tolerance)).toBe(1_700_000_000_000);
    expect(checkTimestamp("1699999700", now, tolerance)).toBe(1_699_999_700_000);
    expect(checkTimestamp("1700000300", now, tolerance)).toBe(1_700_000_300_000);
    expect(() => checkTimestamp("1699999699", now, tolerance)).toThrow(
      expect.objectContaining({ code: "timestamp_too_old" }),
    );
    expect(() => checkTimestamp("1700000301", now, tolerance)).toThrow(
      expect.objectContaining({ code: "timestamp_too_new" }),
    );
  });

  it("says how far it is off", () => {
    expect(() => checkTimestamp("1699999000", now, resolveTolerance())).toThrow("got one 1000000 ms old");
    expect(() => checkTimestamp("1700001000", now, resolveTolerance())).toThrow("got one 1000000 ms ahead");
  });
});

describe("a tolerance", () => {
  it("can differ for the past and the future", () => {
    expect(resolveTolerance(1000)).toEqual({ pastMs: 1000, futureMs: 1000 });
    expect(resolveTolerance({ past: 60_000, future: 0 })).toEqual({ pastMs: 60_000, futureMs: 0 });
    expect(resolveTolerance({ future: 5 })).toEqual({ pastMs: 300_000, futureMs: 5 });
    expect(checkTimestamp("1", now, resolveTolerance({ past: Infinity }))).toBe(1000);
    expect(() => checkTimestamp("1700000001", now, resolveTolerance({ future: 0 }))).toThrow(
      expect.objectContaining({ code: "timestamp_too_new" }),
    );
  });

  it("refuses what it does not know, which would be no tolerance at all", () => {
    expect(() => resolveTolerance({ pastMs: 5 } as Tolerance)).toThrow("there is no such option (`past`?)");
  });

  it.each([-1, Number.NaN, "5m", null, { past: "5m" }, { future: -1 }])("is refused as %j", (tolerance) => {
    expect(() => resolveTolerance(tolerance as Tolerance)).toThrow("milliseconds, 0 or more");
  });
});
