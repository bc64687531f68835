import { forEachSeed } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { fromKey, toKey } from "./key-text.ts";

describe("a text as a key of NATS", () => {
  it.each([
    ["webhooks", "webhooks"],
    ["a_B-9", "a_B-9"],
    ["a.b", "a=2Eb"],
    ["a b*>", "a=20b=2A=3E"],
    ["=", "=3D"],
    ["ü", "=C3=BC"],
    ["", "="],
  ])("%j is %s", (text, key) => {
    expect(toKey(text)).toBe(key);
    expect(fromKey(key)).toBe(text);
  });

  it("is one subject token, and comes back as it was, whatever the text", async () => {
    await forEachSeed(200, (random) => {
      const text = Array.from({ length: random.integer(0, 12) }, () => random.pick(alphabet)).join("");
      expect(toKey(text)).toMatch(/^[A-Za-z0-9_=-]+$/);
      expect(fromKey(toKey(text))).toBe(text);
    });
  });
});

const alphabet = ["a", "Z", "0", "_", "-", "=", ".", "*", ">", " ", "\n", "é", "漢", "😀", "=2E"];
