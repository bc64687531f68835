import { describe, expect, it } from "vitest";
import { countUtf8, snapshot, utf8Length } from "./snapshot.ts";

describe("a snapshot", () => {
  it("is the JSON of now: later changes do not reach it", () => {
    const data = { price: 1 };
    const json = snapshot("model.added", data);
    data.price = 2;
    expect(json).toBe('{"price":1}');
  });

  it("of nothing is null", () => {
    expect(snapshot("sync.started", undefined)).toBe("null");
  });

  it.each([
    ["a BigInt", { n: 1n }],
    ["a cycle", cycle()],
    [
      "a value whose getter or toJSON threw",
      {
        get secret() {
          throw new Error("hunter2");
        },
      },
    ],
    ["a value nested too deeply", deep(100_000)],
    ["a function", () => undefined],
    ["a symbol", Symbol("x")],
  ])("refuses %s, without repeating it", (what, data) => {
    expect(() => snapshot("model.added", data)).toThrow(
      expect.objectContaining({ code: "invalid_data", message: expect.stringContaining(what) as string }),
    );
    expect(() => snapshot("model.added", data)).toThrow(/^(?!.*hunter2)/);
  });
});

describe("the UTF-8 length", () => {
  it.each(["", "abc", "é", "日本", "😀", "a😀b\ud800c", "\udc00", "\u07ff\u0800"])(
    "of %j is that of its bytes",
    (text) => {
      const exact = new TextEncoder().encode(text).length;
      expect(countUtf8(text)).toBe(exact);
      expect(utf8Length(text)).toBe(exact);
    },
  );
});

function cycle(): unknown {
  const a: { self?: unknown } = {};
  a.self = a;
  return a;
}

function deep(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}
