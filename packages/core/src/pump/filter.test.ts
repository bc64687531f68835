import { describe, expect, it } from "vitest";
import { compileFilter, maxFilterPatterns, maxPatternLength, type Filter } from "./filter.ts";

describe("a type pattern", () => {
  it.each([
    ["model.added", "model.added", true],
    ["model.added", "model.updated", false],
    ["model.*", "model.added", true],
    ["model.*", "model.price.changed", false],
    ["*.added", "model.added", true],
    ["*.added", "model.updated", false],
    ["model.**", "model.added", true],
    ["model.**", "model.price.changed", true],
    ["model.**", "sync.started", false],
    ["model.*.changed", "model.price.changed", true],
    ["**", "anything.at.all", true],
  ])("%s on %s says %s", (pattern, type, isMatch) => {
    expect(compileFilter({ types: [pattern] }).matches({ type, subject: undefined })).toBe(isMatch);
  });

  it.each(["*", "model", "mod*.added", "model.", ".added", "model.**.added", "model added", "", 7, "m.\n"])(
    "refuses %j",
    (pattern) => {
      expect(() => compileFilter({ types: [pattern as string] })).toThrow(
        expect.objectContaining({ code: "invalid_filter" }),
      );
    },
  );
});

describe("the subjects a filter is limited to", () => {
  it.each<[string, Filter[], readonly string[] | null]>([
    ["any, without subjects", [{ types: ["model.*"] }], null],
    ["those it names", [{ subjects: ["b", "a"] }], ["a", "b"]],
    ["none that can be listed, with a prefix", [{ subjects: ["a", "b/*"] }], null],
    ["those of one of two, both of which must let an event through", [{ subjects: ["*"] }, { subjects: ["a"] }], ["a"]],
    ["none at all", [{ subjects: [] }], []],
  ])("are %s", (_, filters, subjects) => {
    expect(compileFilter(...filters).subjects).toEqual(subjects);
  });
});

describe("a subject pattern", () => {
  it.each([
    ["openai/gpt-5", "openai/gpt-5", true],
    ["openai/*", "openai/gpt-5", true],
    ["openai/*", "mistral/large", false],
    ["*", "anything", true],
    ["*", undefined, false],
  ])("%s on %s says %s", (pattern, subject, isMatch) => {
    expect(compileFilter({ subjects: [pattern] }).matches({ type: "model.added", subject })).toBe(isMatch);
  });

  it.each(["", "a*b", "**"])("refuses %j", (pattern) => {
    expect(() => compileFilter({ subjects: [pattern] })).toThrow(expect.objectContaining({ code: "invalid_filter" }));
  });
});

describe("filters of equal meaning", () => {
  it.each<[Filter, Filter]>([
    [{ types: ["a.b", "c.d"] }, { types: ["c.d", "a.b", "a.b"] }],
    [{ types: ["**"] }, {}],
    [{ types: ["a.b", "**"] }, {}],
  ])("have the same key: %j and %j", (a, b) => {
    expect(compileFilter(a).key).toBe(compileFilter(b).key);
  });

  it("have the same key when what is asked for is what is allowed", () => {
    expect(compileFilter({ types: ["a.*"] }, { types: ["a.*"] }).key).toBe(compileFilter({ types: ["a.*"] }).key);
  });
});

describe("what is asked for within what is allowed", () => {
  it("lets through only what both let through", () => {
    const filter = compileFilter({ types: ["model.*"] }, { types: ["*.added"], subjects: ["openai/*"] });
    expect(filter.matches({ type: "model.added", subject: "openai/x" })).toBe(true);
    expect(filter.matches({ type: "model.updated", subject: "openai/x" })).toBe(false);
    expect(filter.matches({ type: "model.added", subject: "mistral/x" })).toBe(false);
  });

  it("lets nothing through when nothing is allowed", () => {
    expect(compileFilter({}, { types: [] }).matches({ type: "model.added", subject: undefined })).toBe(false);
  });
});

describe("the limits of a filter", () => {
  it("refuse one pattern too many and one character too many", () => {
    const many = Array.from({ length: maxFilterPatterns + 1 }, (_, index) => `a.b${index}`);
    expect(() => compileFilter({ types: many })).toThrow(/at most 64/);
    expect(() => compileFilter({ types: many.slice(1) })).not.toThrow();
    expect(() => compileFilter({ subjects: ["x".repeat(maxPatternLength + 1)] })).toThrow(/1024/);
  });
});
