import { describe, expect, it } from "vitest";
import { sharedBytes, utf8Bytes } from "./side-by-side.ts";

describe("shared bytes", () => {
  it("of small events lie side by side in blocks, and never overlap", () => {
    const parts = Array.from({ length: 3_000 }, (_, index) => sharedBytes(50 + (index % 100)).fill(index % 251));
    for (const [index, part] of parts.entries()) {
      expect(part.length).toBe(50 + (index % 100));
      expect(part.every((byte) => byte === index % 251)).toBe(true);
    }
    const blocks = new Set(parts.map(({ buffer }) => buffer));
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    expect(blocks.size).toBeLessThanOrEqual(Math.ceil(bytes / 65_536) + 1);
    for (const { byteLength } of blocks) expect(byteLength).toBe(65_536);
  });

  it("of a large event are its own", () => {
    const { buffer, length } = sharedBytes(8_193);
    expect([buffer.byteLength, length]).toEqual([8_193, 8_193]);
  });

  it("of a text are its UTF-8, whatever is in it", () => {
    for (const text of ["", "plain", "äöü", "漢字", "😀", "lone \ud800 surrogate", "x".repeat(20_000)]) {
      expect(utf8Bytes(text)).toEqual(new TextEncoder().encode(text));
    }
  });
});
