import { describe, expect, it } from "vitest";
import { escapeLevel, unescapeLevel } from "./topic-level.ts";

describe("a value as a topic level", () => {
  it.each([
    ["acme-one", "acme-one"],
    ["acme/one", "acme%2Fone"],
    ["a+b#c", "a%2Bb%23c"],
    ["100%", "100%25"],
    ["%2F", "%252F"],
    ["$SYS", "%24SYS"],
    ["a\u0000b\n", "a%00b%0A"],
    ["\u0085", "%C2%85"],
    ["\ufeff", "%EF%BB%BF"],
    ["\ufffe", "%EF%BF%BE"],
    ["\u{1fffe}", "%F0%9F%BF%BE"],
    ["größe 🙂", "größe 🙂"],
    ["\ud83d", "%ED%A0%BD"],
  ])("%j becomes %s", (value, level) => {
    expect(escapeLevel(value)).toBe(level);
  });

  it("reads back as what it was, for any well-formed text", () => {
    const random = generator(20_260_101);
    for (let round = 0; round < 5_000; round += 1) {
      const value = randomText(random).replace(/\p{Surrogate}/gu, "");
      const level = escapeLevel(value);
      expect(unescapeLevel(level)).toBe(value);
      expect(level).not.toMatch(/[+#/$\0]/);
    }
  });

  it("never meets another value's level, lone surrogates included", () => {
    const random = generator(7);
    const valueOf = new Map<string, string>();
    for (let round = 0; round < 20_000; round += 1) {
      const value = randomText(random);
      const level = escapeLevel(value);
      expect(valueOf.get(level) ?? value).toBe(value);
      valueOf.set(level, value);
    }
  });
});

// Short texts over a small alphabet of troublemakers meet each other often.
const alphabet = [
  "a",
  "%",
  "2",
  "F",
  "f",
  "/",
  "+",
  "#",
  "$",
  "\0",
  "\n",
  "é",
  "\u0080",
  "\ud83d",
  "\ude42",
  "\ufffe",
  "\ufeff",
  "%2F",
];

function randomText(random: () => number): string {
  return Array.from({ length: Math.floor(random() * 4) }, () => alphabet[Math.floor(random() * alphabet.length)]).join(
    "",
  );
}

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}
