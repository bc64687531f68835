import { describe, expect, it } from "vitest";
import { maxTopicAliases, TopicAliases } from "./topic-aliases.ts";

describe("topic aliases", () => {
  it("are not used where none are allowed", () => {
    expect(new TopicAliases(0).of("a")).toBeNull();
  });

  it("are kept for the topics used last", () => {
    const aliases = new TopicAliases(2);
    const told = ["a", "b", "a", "c", "a", "b"].map((topic) => aliases.of(topic));
    expect(told).toEqual([
      { number: 1, isNew: true },
      { number: 2, isNew: true },
      { number: 1, isNew: false },
      // In the place of "b", which was used before "a".
      { number: 2, isNew: true },
      { number: 1, isNew: false },
      { number: 2, isNew: true },
    ]);
  });

  it("remember a bounded number of names", () => {
    const aliases = new TopicAliases(65_535);
    const numbers = Array.from({ length: 3 * maxTopicAliases }, (_, n) => aliases.of(`t/${n}`)?.number ?? NaN);
    expect(Math.max(...numbers)).toBe(maxTopicAliases);
  });
});
