import { describe, expect, it } from "vitest";
import { property } from "../test/property.ts";
import { MemorySeenIds, type SeenAttempt } from "./seen-ids.ts";

describe("MemorySeenIds", () => {
  it("takes an attempt once, and again only after it failed", () => {
    const seen = new MemorySeenIds();
    expect(seen.begin(attempt("a", 1))).toBe("first");
    expect(seen.begin(attempt("a", 1))).toBe("replayed");
    seen.fail(attempt("a", 1));
    expect(seen.begin(attempt("a", 1))).toBe("first");
    seen.succeed(attempt("a", 1));
    expect(seen.begin(attempt("a", 1))).toBe("replayed");
  });

  it("takes an attempt that failed again, also when so many came meanwhile that the older half is the one it is in", () => {
    const seen = new MemorySeenIds({ maxIds: 1 });
    seen.begin(attempt("a", 1));
    seen.begin(attempt("b", 2));
    seen.fail(attempt("a", 1));
    expect(seen.begin(attempt("a", 1))).toBe("first");
  });

  it("calls an id repeated only once its handling has succeeded", () => {
    const seen = new MemorySeenIds();
    seen.begin(attempt("a", 1));
    expect(seen.begin(attempt("a", 2))).toBe("first");
    seen.fail(attempt("a", 1));
    expect(seen.begin(attempt("a", 3))).toBe("first");
    seen.succeed(attempt("a", 2));
    expect(seen.begin(attempt("a", 4))).toBe("repeated");
    seen.fail(attempt("a", 4));
    expect(seen.begin(attempt("a", 4))).toBe("repeated");
  });

  it("remembers at least the newest `maxIds`, and never more than twice as many", () => {
    const seen = new MemorySeenIds({ maxIds: 10 });
    for (let n = 0; n < 1000; n += 1) {
      seen.begin(attempt(`id${n}`, n));
      seen.succeed(attempt(`id${n}`, n));
      const known = Array.from(
        { length: n + 1 },
        (_, id) => seen.begin(attempt(`id${id}`, 1e6 + n * 1000 + id)) === "repeated",
      );
      for (let id = 0; id <= n; id += 1) seen.fail(attempt(`id${id}`, 1e6 + n * 1000 + id));
      expect(known.slice(-10).every(Boolean)).toBe(true);
      expect(known.filter(Boolean).length).toBeLessThanOrEqual(20);
      if (n > 40) break;
    }
  });

  it("remembers at least the newest `maxIds` attempts in their handlers, and never more than twice as many", () => {
    const seen = new MemorySeenIds({ maxIds: 10 });
    for (let n = 0; n < 1000; n += 1) expect(seen.begin(attempt("a", n))).toBe("first");
    for (let n = 990; n < 1000; n += 1) expect(seen.begin(attempt("a", n))).toBe("replayed");
    for (let n = 0; n < 980; n += 1) {
      expect(seen.begin(attempt("a", n))).toBe("first");
      seen.fail(attempt("a", n));
    }
  });

  it("agrees with a memory that forgets nothing, as long as it is large enough", () => {
    property(200, (random) => {
      const seen = new MemorySeenIds({ maxIds: 1000 });
      const taken = new Set<string>();
      const handled = new Set<string>();
      for (let step = 0; step < 60; step += 1) {
        const one = attempt(random.pick("abc"), random.integer(0, 9));
        const expected = taken.has(one.content) ? "replayed" : handled.has(one.id) ? "repeated" : "first";
        expect(seen.begin(one)).toBe(expected);
        if (expected === "replayed") continue;
        taken.add(one.content);
        const outcome = random.pick(["succeed", "fail", "pending"] as const);
        if (outcome === "succeed") {
          seen.succeed(one);
          handled.add(one.id);
        } else if (outcome === "fail") {
          seen.fail(one);
          taken.delete(one.content);
        }
      }
    });
  });

  it.each([0, -1, 1.5, Number.NaN, "many"])("refuses room for %s", (maxIds) => {
    expect(() => new MemorySeenIds({ maxIds: maxIds as number })).toThrow("Expected `maxIds` to be an integer from 1");
  });
});

function attempt(id: string, n: number): SeenAttempt {
  return { id, content: `${id}/${n}`, acceptableUntil: Infinity };
}
