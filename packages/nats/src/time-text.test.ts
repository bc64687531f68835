import { describe, expect, it } from "vitest";
import { TimeText } from "./time-text.ts";

describe("the text of a time", () => {
  it("is RFC 3339 in UTC, and the same object for the same millisecond", () => {
    const texts = new TimeText();
    expect(texts.of(0)).toBe("1970-01-01T00:00:00.000Z");
    expect(texts.of(1_767_323_045_123)).toBe("2026-01-02T03:04:05.123Z");
    expect(texts.of(0)).toBe("1970-01-01T00:00:00.000Z");
  });
});
