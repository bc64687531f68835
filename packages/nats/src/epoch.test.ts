import { describe, expect, it } from "vitest";
import { describeStream, epochOf, renewalsIn } from "./epoch.ts";

describe("the epoch of a stream", () => {
  it.each([
    ["2026-01-02T03:04:05Z", 1_767_323_045_000_000_000n],
    ["2026-01-02T03:04:05.6Z", 1_767_323_045_600_000_000n],
    ["2026-01-02T03:04:05.000000001Z", 1_767_323_045_000_000_001n],
    ["2026-01-02T03:04:05.123456789Z", 1_767_323_045_123_456_789n],
  ])("is when it was created, to the nanosecond: %s", (created, nanoseconds) => {
    expect(epochOf(created, 0)).toBe(nanoseconds.toString(36));
  });

  it("differs for streams a nanosecond apart, and for each renewal of one", () => {
    const epochs = [
      epochOf("2026-01-02T03:04:05.123456789Z", 0),
      epochOf("2026-01-02T03:04:05.12345679Z", 0),
      epochOf("2026-01-02T03:04:05.123456789Z", 1),
      epochOf("2026-01-02T03:04:05.123456789Z", 36),
    ];
    expect(new Set(epochs).size).toBe(epochs.length);
    for (const epoch of epochs) expect(epoch).toMatch(/^[a-z0-9]{1,40}$/);
  });

  it.each(["", "yesterday", "2026-01-02T03:04:05", "2026-01-02T03:04:05.1234567891Z", "2026-13-02T03:04:05Z"])(
    "is refused when the server says %j",
    (created) => {
      expect(() => epochOf(created, 0)).toThrow(expect.objectContaining({ code: "store_corrupt" }) as Error);
    },
  );

  it("keeps its renewals in the description of the stream, whatever else stands there", () => {
    for (const renewals of [0, 1, 7, 123_456]) expect(renewalsIn(describeStream(renewals))).toBe(renewals);
    expect(renewalsIn(undefined)).toBe(0);
    expect(renewalsIn("made by hand")).toBe(0);
    expect(renewalsIn("made by hand renewed 3")).toBe(3);
  });
});
