import { describe, expect, it } from "vitest";
import { rowsInSight, rowsOf } from "./rows.ts";

const models = new Map(
  [
    { id: "gpt-5", provider: "openai", name: "GPT 5", prices: { input_mtok: 2 } },
    { id: "opus", provider: "anthropic", name: "Claude Opus", prices: { input_mtok: 15 } },
    { id: "free", provider: "zai" },
  ].map((model) => [`${model.provider}/${model.id}`, model]),
);
const mark = { id: "e-1", at: 9, kind: "updated", price: null, trend: [] } as const;
const keys = (...args: Parameters<typeof rowsOf>) => rowsOf(...args).map(({ key }) => key);

describe("the rows of the catalog", () => {
  it.each([
    ["name", ["anthropic/opus", "openai/gpt-5", "zai/free"]],
    ["price", ["anthropic/opus", "openai/gpt-5", "zai/free"]],
    ["changed", ["zai/free", "anthropic/opus", "openai/gpt-5"]],
  ] as const)("are ordered by %s", (order, wanted) => {
    expect(keys(models, new Map([["zai/free", mark]]), { search: "", order })).toEqual(wanted);
  });

  it("match every word of a search, in names and keys", () => {
    expect(keys(models, new Map(), { search: "  claude ANTHROPIC", order: "name" })).toEqual(["anthropic/opus"]);
    expect(keys(models, new Map(), { search: "claude openai", order: "name" })).toEqual([]);
  });

  it("are drawn where they are in sight", () => {
    const sight = { scrollTop: 1_000, height: 400, rowHeight: 50 };
    expect(rowsInSight(sight, 3_000)).toEqual({ from: 16, to: 32 });
    expect(rowsInSight({ ...sight, scrollTop: 0 }, 3)).toEqual({ from: 0, to: 3 });
    expect(rowsInSight({ ...sight, scrollTop: 9_000 }, 3)).toEqual({ from: 0, to: 3 });
    expect(rowsInSight(sight, 0)).toEqual({ from: 0, to: 0 });
  });
});
