import { describe, expect, it } from "vitest";
import { findChanges, isSameJson, maxChanges } from "./changes.ts";

describe("the changes between two entries", () => {
  it("name the smallest members that differ, by JSON Pointer", () => {
    const before = { name: "a", pricing: { input: 0.8, output: 4 }, tags: ["text"] };
    const after = { name: "a", pricing: { input: 0.5, output: 4 }, tags: ["text", "image"] };
    expect(findChanges(before, after)).toEqual([
      { path: "/pricing/input", from: 0.8, to: 0.5 },
      { path: "/tags/1", to: "image" },
    ]);
  });

  it("leave `from` out for a new member and `to` for one that is gone, and keep null apart from both", () => {
    const changes = findChanges({ gone: 1, emptied: 1, same: null }, { emptied: null, same: null, fresh: null });
    expect(changes).toEqual([
      { path: "/gone", from: 1 },
      { path: "/emptied", from: 1, to: null },
      { path: "/fresh", to: null },
    ]);
    expect(Object.keys(changes[0] ?? {})).not.toContain("to");
  });

  it("escape steps so that two paths never meet", () => {
    const changes = findChanges({}, { "a/b": 1, "a~1b": 1, "": 1, a: { b: 1 } });
    expect(changes.map(({ path }) => path)).toEqual(["/a~1b", "/a~01b", "/", "/a"]);
  });

  it("report a value that changed its kind once, as a whole", () => {
    expect(findChanges({ price: 3 }, { price: { base: 3, tiers: [] } })).toEqual([
      { path: "/price", from: 3, to: { base: 3, tiers: [] } },
    ]);
    expect(findChanges({ price: [1] }, { price: { 0: 1 } })).toHaveLength(1);
  });

  it("see no difference in the order of members, in undefined members, or between zeros", () => {
    expect(findChanges({ a: 1, b: { c: 0, d: 2 } }, { b: { d: 2, c: -0 }, e: undefined, a: 1 })).toEqual([]);
  });

  it("find members named like those of every object", () => {
    expect(findChanges({}, JSON.parse('{"__proto__": 1, "constructor": 2}'))).toEqual([
      { path: "/__proto__", to: 1 },
      { path: "/constructor", to: 2 },
    ]);
  });

  it("are told per top-level member above the limit, and as one above the limit of members", () => {
    const numbers = (from: number): number[] => Array.from({ length: maxChanges + 1 }, (_, index) => from + index);
    expect(findChanges({ same: [1], list: numbers(0) }, { same: [1], list: numbers(7) })).toEqual([
      { path: "/list", from: numbers(0), to: numbers(7) },
    ]);
    const wide = (value: number): object => Object.fromEntries(numbers(0).map((name) => [`m${name}`, value]));
    expect(findChanges(wide(1), wide(2))).toEqual([{ path: "", from: wide(1), to: wide(2) }]);
    expect(findChanges({ list: numbers(0).slice(1) }, { list: numbers(7).slice(1) })).toHaveLength(maxChanges);
  });

  it("are found in entries nested deeper than the stack", () => {
    const nested = (leaf: number): unknown => JSON.parse(`${"[".repeat(50_000)}${leaf}${"]".repeat(50_000)}`);
    expect(findChanges(nested(1), nested(2))).toMatchObject([{ from: 1, to: 2 }]);
    expect(isSameJson(nested(1), nested(1))).toBe(true);
  });
});
