import { describe, expect, it } from "vitest";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { property, randomBytes } from "../test/property.ts";

describe("base64", () => {
  it("writes what the platform writes, and reads it back, for any bytes", () => {
    property(500, (random) => {
      const bytes = randomBytes(random, random.integer(0, 200));
      const text = encodeBase64(bytes);
      expect(text).toBe(Buffer.from(bytes).toString("base64"));
      expect(decodeBase64(text)).toEqual(bytes);
    });
  });

  it("reads only the one canonical text of some bytes", () => {
    property(2000, (random) => {
      const text = encodeBase64(randomBytes(random, random.integer(1, 20)));
      const at = random.integer(0, text.length - 1);
      const changed = text.slice(0, at) + random.pick("AZaz09+/=-_ \n.é") + text.slice(at + 1);
      const bytes = decodeBase64(changed);
      if (bytes !== null) expect(encodeBase64(bytes)).toBe(changed);
    });
  });

  it.each([
    "A",
    "AA",
    "AAA",
    "AB==",
    "AAB=",
    "A===",
    "====",
    "AA=A",
    "AAAA\n",
    " AAAA",
    "AA-_",
    "ÀAAA",
    "AAAA=",
    "=AAA",
  ])("refuses %j", (text) => {
    expect(decodeBase64(text)).toBeNull();
  });
});
