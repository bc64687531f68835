import { describe, expect, it } from "vitest";
import { redact } from "./redact.ts";

describe("what a receiver said", () => {
  it.each([
    ["as it is", 'a Bearer "x/y+z" b', "a [redacted] b"],
    ["in JSON", '{"a":"Bearer \\"x/y+z\\""}', '{"a":"[redacted]"}'],
    ["in a URL", "?a=Bearer%20%22x%2Fy%2Bz%22&b", "?a=[redacted]&b"],
    ["in another case", 'BEARER "X/Y+Z", bearer%20%22x%2fy%2bz%22', "[redacted], [redacted]"],
    ["up to where it was cut off", 'a Bearer "x/y', "a [redacted]"],
    ["in JSON up to where it was cut off", '"Bearer \\"x/', '"[redacted]'],
    ["in JSON as PHP writes it", '{"a":"Bearer \\"x\\/y+z\\""}', '{"a":"[redacted]"}'],
    ["in HTML", "<p>Bearer &quot;x/y+z&quot;</p>", "<p>[redacted]</p>"],
    ["more than once", 'Bearer "x/y+z"Bearer "x/y+z"', "[redacted][redacted]"],
    ["not at all", "Bearer of news, Beare", "Bearer of news, Beare"],
  ])("is shown without a secret: %s", (_, text, shown) => {
    expect(redact(text, ['Bearer "x/y+z"'])).toBe(shown);
  });

  it("is shown as it is where a secret is too short to be one", () => {
    expect(redact("a b a b", ["a b"])).toBe("a b a b");
  });

  it.each([0, 1, 2, 3])("is shown without it in base64, after %i other bytes", (before) => {
    const bytes = Buffer.from(`${"a".repeat(before)}Secret\u00fe/?>token~~~${"b".repeat(before)}`);
    for (const encoding of ["base64", "base64url"] as const) {
      const shown = redact(`said ${bytes.toString(encoding)}`, ["Secret\u00fe/?>token~~~"]);
      expect(shown).toMatch(/^said [\w+/-]{0,6}\[redacted\][\w+/=-]{0,8}$/);
    }
  });

  it.each([
    ["a token without its scheme", "Bearer abc-123-def", "wrong token abc-123-def", "wrong token [redacted]"],
    ["the values of a cookie", "a=first-value; b=second-value", "b is second-value", "b is [redacted]"],
    ["who logs in", `Basic ${btoa("me:pass-word")}`, "me:pass-word, pass-word", "[redacted], [redacted]"],
    ["a key without its kind", "whsec_AAECAwQFBgcICQ==", "AAECAwQFBgcICQ==", "[redacted]=="],
    ["no short word of it", "Bearer abc-123-def", "Bearer is missing", "Bearer is missing"],
  ])("is shown without %s", (_, secret, text, shown) => {
    expect(redact(text, [secret])).toBe(shown);
  });
});
