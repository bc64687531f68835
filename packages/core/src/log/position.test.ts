import { describe, expect, it } from "vitest";
import { formatPosition, parsePosition, requirePosition } from "./position.ts";

describe("a position's text", () => {
  it.each([
    { epoch: "k3f9x2a1", offset: 1042 },
    { epoch: "A", offset: 0 },
    { epoch: "z".repeat(40), offset: Number.MAX_SAFE_INTEGER },
  ])("comes back as it went: %j", (position) => {
    expect(parsePosition(formatPosition(position))).toEqual(position);
    expect(formatPosition(position).length).toBeLessThanOrEqual(64);
  });

  it.each([
    "",
    "-",
    "a-",
    "-1",
    "a-01",
    "a--1",
    "a-1 ",
    " a-1",
    "a-1e3",
    "a-1.0",
    "é-1",
    "a-9007199254740992",
    "a-1\n",
    `${"a".repeat(41)}-1`,
    "a".repeat(9_000),
  ])("is nothing else: %j", (text) => {
    expect(parsePosition(text)).toBeNull();
    expect(() => requirePosition(text)).toThrow(expect.objectContaining({ code: "invalid_position" }));
  });
});
