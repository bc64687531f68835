import { describe, expect, it } from "vitest";
import { readRetryAfter } from "./retry-after.ts";

describe("Retry-After", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");

  it.each([
    ["7", 7_000],
    ["0", 0],
    ["Thu, 01 Jan 2026 00:00:30 GMT", 30_000],
    ["Wed, 31 Dec 2025 23:00:00 GMT", 0],
    ["86400", 86_400_000],
    ["soon", null],
    [null, null],
  ])("%s is %s ms", (header, ms) => {
    expect(readRetryAfter(header, now)).toBe(ms);
  });
});
