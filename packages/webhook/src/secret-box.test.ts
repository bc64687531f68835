import { describe, expect, it } from "vitest";
import { SecretBox } from "./secret-box.ts";

const key = (byte: number): string => Buffer.alloc(32, byte).toString("base64");

describe("a secret", () => {
  it("opens as it was sealed, and never looks the same twice", () => {
    const box = new SecretBox([key(1)]);
    const [one, two] = [box.seal("a", "whsec_ä"), box.seal("a", "whsec_ä")];
    expect(one).not.toBe(two);
    expect([box.open("a", one), box.open("a", two)]).toEqual(["whsec_ä", "whsec_ä"]);
  });

  it("opens with any of the keys, and is sealed with the first", () => {
    const old = new SecretBox([key(1)]).seal("a", "text");
    const both = new SecretBox([key(2), key(1)]);
    expect(both.open("a", old)).toBe("text");
    expect(new SecretBox([key(2)]).open("a", both.seal("a", "text"))).toBe("text");
  });

  it("does not open with another key, for another owner, changed, or cut", () => {
    const box = new SecretBox([key(1)]);
    const sealed = box.seal("a", "text");
    const body = Buffer.from(sealed.split(".")[2] ?? "", "base64");
    const corrupt = { code: "store_corrupt" };
    expect(() => new SecretBox([key(2)]).open("a", sealed)).toThrow(expect.objectContaining(corrupt));
    expect(() => new SecretBox([]).open("a", sealed)).toThrow(expect.objectContaining(corrupt));
    expect(() => box.open("b", sealed)).toThrow(expect.objectContaining(corrupt));
    expect(() => box.open("a", sealed.slice(0, 30))).toThrow(expect.objectContaining(corrupt));
    for (let index = 0; index < body.length; index += 1) {
      const changed = Buffer.from(body);
      changed[index] = (changed[index] ?? 0) ^ 1;
      const text = [...sealed.split(".").slice(0, 2), changed.toString("base64")].join(".");
      expect(() => box.open("a", text)).toThrow(expect.objectContaining(corrupt));
    }
  });
});
