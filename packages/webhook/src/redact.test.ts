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
    ["more than once", 'Bearer "x/y+z"Bearer "x/y+z"', "[redacted][redacted]"],
    ["not at all", "Bearer of news, Beare", "Bearer of news, Beare"],
  ])("is shown without a secret: %s", (_, text, shown) => {
    expect(redact(text, ['Bearer "x/y+z"'])).toBe(shown);
  });

  it("is shown as it is where a secret is too short to be one", () => {
    expect(redact("a b a b", ["a b"])).toBe("a b a b");
  });
});
