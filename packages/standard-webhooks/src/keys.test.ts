import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { isWebhookError } from "./errors.ts";
import { makeKey, makeKeyPair, publicKeyOf } from "./key-making.ts";
import { keyLimits, parseKey, parseKeys, redactKey, type KeyRecord } from "./keys.ts";

const base64 = (bytes: number): string => Buffer.alloc(bytes, 0xa7).toString("base64");

describe("a made key", () => {
  it("has 32 random bytes under whsec_", () => {
    const keys = [makeKey(), makeKey()];
    expect(new Set(keys).size).toBe(2);
    for (const key of keys) expect(Buffer.from(key.replace("whsec_", ""), "base64")).toHaveLength(32);
  });

  it("has as many bytes as asked for, from 24 to 64", () => {
    for (const bytes of [24, 64]) expect(Buffer.from(makeKey({ bytes }).slice(6), "base64")).toHaveLength(bytes);
    expect(() => makeKey({ size: 64 } as object)).toThrow("there is no such option (`bytes`?)");
    for (const bytes of [0, 23, 65, 32.5, Number.NaN, Infinity, "32" as unknown as number]) {
      expect(() => makeKey({ bytes })).toThrow("Expected `bytes` to be an integer from 24 to 64");
    }
  });

  it("comes as a pair whose public half follows from the private one", async () => {
    const { privateKey, publicKey } = await makeKeyPair();
    expect(await publicKeyOf(privateKey)).toBe(publicKey);
    expect(parseKey(privateKey).kind).toBe("private");
    expect(parseKey(publicKey).kind).toBe("public");
    const seedOnly = `whsk_${Buffer.from(privateKey.slice(5), "base64").subarray(0, 32).toString("base64")}`;
    expect(await publicKeyOf(seedOnly)).toBe(publicKey);
  });

  it("has no public half unless it is a private one", async () => {
    const { publicKey } = await makeKeyPair();
    for (const other of [publicKey, makeKey(), "whsk", "", undefined]) {
      await expect(publicKeyOf(other as string)).rejects.toMatchObject({ code: "invalid_key" });
    }
    await expect(publicKeyOf(publicKey)).rejects.toThrow("Expected a key that starts with whsk_");
  });

  it("is refused where its two halves disagree", async () => {
    const { privateKey } = await makeKeyPair();
    const bytes = Buffer.from(privateKey.slice(5), "base64");
    bytes[63] = (bytes[63] ?? 0) ^ 1;
    await expect(publicKeyOf(`whsk_${bytes.toString("base64")}`)).rejects.toMatchObject({ code: "invalid_key" });
  });
});

describe("parseKey", () => {
  it("takes shared keys of 24 to 64 bytes", () => {
    for (const bytes of [24, 32, 64]) {
      expect(parseKey(`whsec_${base64(bytes)}`)).toMatchObject({ kind: "shared", expiresAt: Infinity });
    }
  });

  it.each([
    ["one byte", "whsec_AA=="],
    ["23 bytes", `whsec_${base64(23)}`],
    ["65 bytes", `whsec_${base64(65)}`],
    ["nothing", "whsec_"],
    ["no prefix", base64(32)],
    ["another prefix", `whsek_${base64(32)}`],
    ["no padding", `whsec_${base64(32).replace("=", "")}`],
    ["base64url", `whsec_${"-_".repeat(16)}`],
    ["bits left over", `whsec_${base64(32).replace(/.=$/, "d=")}`],
    ["a line break", `whsec_${base64(24)}\n`],
    ["a public key of 31 bytes", `whpk_${base64(31)}`],
    ["a private key of 33 bytes", `whsk_${base64(33)}`],
    ["a number", 5],
    ["null", null],
    ["undefined", undefined],
  ])("refuses %s", (_what, key) => {
    expect(() => parseKey(key as string)).toThrow(expect.objectContaining({ code: "invalid_key" }));
  });

  it("says so where a key came with what a file or a variable puts around it", () => {
    for (const text of [`${makeKey()}\n`, ` ${makeKey()}`, `${makeKey()}\r\n`]) {
      expect(() => parseKey(text)).toThrow("without spaces or line breaks around it");
    }
  });

  it("never shows a key, in its errors or in what it gives", async () => {
    const { privateKey } = await makeKeyPair();
    for (const key of [makeKey(), privateKey]) {
      const parsed = parseKey(key);
      const shown = inspect(parsed, { depth: 9, showHidden: true }) + JSON.stringify(parsed);
      expect(shown).not.toContain(key.slice(12));
      expect(shown).toContain(redactKey(key));
      const failed = ["x", "==", "A"].map((tail) => messageOf(() => parseKey(key + tail)));
      expect(failed.join()).not.toContain(key.slice(6, 20));
    }
  });

  it("reads an expiry, and refuses what is none", () => {
    expect(parseKey({ key: makeKey(), expiresAt: 5 }).expiresAt).toBe(5);
    expect(parseKey({ key: makeKey(), expiresAt: undefined }).expiresAt).toBe(Infinity);
    for (const expiresAt of [Number.NaN, "2030-01-01", new Date()]) {
      expect(() => parseKey({ key: makeKey(), expiresAt: expiresAt as number })).toThrow("Expected `expiresAt`");
    }
  });

  it("refuses a record with a mistyped expiry, without showing anything of it", () => {
    expect(() => parseKey({ key: makeKey(), expires: 5 } as KeyRecord)).toThrow(
      "Expected `expires` to be left out: there is no such option (`expiresAt`?)",
    );
  });

  it("gives a parsed key back as it is", () => {
    const key = parseKey(makeKey());
    expect(parseKey(key)).toBe(key);
  });
});

describe("a list of keys", () => {
  it("holds one to ten", () => {
    expect(
      parseKeys(
        Array.from({ length: keyLimits.maxKeys }, () => makeKey()),
        "sign",
      ),
    ).toHaveLength(10);
    for (const count of [0, 11]) {
      const keys = Array.from({ length: count }, () => makeKey());
      expect(() => parseKeys(keys, "sign")).toThrow(`Expected \`keys\` to be one to 10 keys, got an array of ${count}`);
    }
  });

  it("is refused, with the reason, where one of its keys cannot do the work", async () => {
    const { privateKey, publicKey } = await makeKeyPair();
    expect(() => parseKeys([makeKey(), publicKey], "sign")).toThrow("that one only verifies");
    expect(() => parseKeys([makeKey(), privateKey], "verify")).toThrow("that one stays with the sender");
    expect(() => parseKeys([parseKey(publicKey)], "sign")).toThrow("that one only verifies");
  });
});

describe("redactKey", () => {
  it("shows four characters of a secret, and all of a public key", () => {
    expect(redactKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).toBe("whsec_MfKQ…");
    expect(redactKey("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).toBe("whsk_MfKQ…");
    expect(redactKey("whpk_MfKQ9r8G")).toBe("whpk_MfKQ9r8G");
    expect(redactKey("hunter2")).toBe("(not a key)");
    expect(redactKey(undefined as unknown as string)).toBe("(not a key)");
  });
});

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isWebhookError(error)) return `${error.message} ${error.stack ?? ""}`;
  }
  throw new Error("Expected a WebhookError");
}
