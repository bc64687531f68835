import { describe, expect, it } from "vitest";
import { makeKey } from "./key-making.ts";
import { rotateKeys, type RotateOptions } from "./key-rotation.ts";
import { parseKey, type KeyRecord } from "./keys.ts";

const now = 1_700_000_000_000;
const day = 86_400_000;

describe("a rotation", () => {
  it("puts the new key first, and lets the old one go after a day", () => {
    const [old, next] = [makeKey(), makeKey()];
    expect(rotateKeys([{ key: old }], { next, now })).toEqual([{ key: next }, { key: old, expiresAt: now + day }]);
  });

  it("never lengthens the life of a key that was on its way out", () => {
    const [old, older, next] = [makeKey(), makeKey(), makeKey()];
    const keys = [{ key: old }, { key: older, expiresAt: now + 5 }];
    expect(rotateKeys(keys, { next, now, overlapMs: 1000 })).toEqual([
      { key: next },
      { key: old, expiresAt: now + 1000 },
      { key: older, expiresAt: now + 5 },
    ]);
  });

  it("drops what has expired, and everything at once for an overlap of 0", () => {
    const [old, expired, next] = [makeKey(), makeKey(), makeKey()];
    const keys = [{ key: old }, { key: expired, expiresAt: now }];
    expect(rotateKeys(keys, { next, now })).toHaveLength(2);
    expect(rotateKeys(keys, { next, now, overlapMs: 0 })).toEqual([{ key: next }]);
  });

  it("takes bare keys too, and refuses what is neither key nor record", () => {
    const [old, next] = [makeKey(), makeKey()];
    expect(rotateKeys([old], { next, now })).toEqual([{ key: next }, { key: old, expiresAt: now + day }]);
    for (const wrong of [{}, undefined, parseKey(old), { key: old, expires: now }, "secret"]) {
      expect(() => rotateKeys([wrong as KeyRecord], { next, now })).toThrow(/^Expected /);
    }
    expect(() => rotateKeys(old as unknown as KeyRecord[], { next, now })).toThrow(
      "Expected `keys` to be a list of keys",
    );
    expect(() => rotateKeys([old], { next, now: Number.NaN })).toThrow("Expected `now`");
    expect(() => rotateKeys([old], { next, overlap: 0 } as RotateOptions)).toThrow("(`overlapMs`?)");
  });

  it("keeps ten keys at most, however often it is repeated", () => {
    let keys: readonly KeyRecord[] = [];
    for (let round = 0; round < 15; round += 1) keys = rotateKeys(keys, { next: makeKey(), now: now + round });
    expect(keys).toHaveLength(10);
    expect(keys[9]).toMatchObject({ expiresAt: now + 6 + day });
  });

  it("refuses a key that is none, or that is in use, and an overlap that is none", () => {
    const key = makeKey();
    expect(() => rotateKeys([{ key }], { next: key, now })).toThrow("already in use");
    expect(() => rotateKeys([{ key }], { next: "secret", now })).toThrow(
      expect.objectContaining({ code: "invalid_key" }),
    );
    for (const overlapMs of [-1, Number.NaN, "1d" as unknown as number, "5" as unknown as number]) {
      expect(() => rotateKeys([{ key }], { next: makeKey(), now, overlapMs })).toThrow("Expected `overlapMs`");
    }
  });
});
