import { describe, expect, it } from "vitest";
import { makeKey, makeKeyPair } from "./key-making.ts";
import { parseKey } from "./keys.ts";
import { sign, type SignOptions } from "./signature.ts";

const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const timestamp = 1_614_265_330_999;
const webhook = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp, body: '{"test": 2432232314}', keys: key };

describe("a signed webhook", () => {
  it("carries id, whole seconds, and the signature of `id.timestamp.body`", async () => {
    expect(await sign(webhook)).toEqual({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });

  it("is the same for a text and for its bytes, a Date and its milliseconds, a key and the parsed key", async () => {
    const expected = await sign({ ...webhook, body: "é🚀" });
    expect(await sign({ ...webhook, body: new TextEncoder().encode("é🚀") })).toEqual(expected);
    expect(await sign({ ...webhook, body: "é🚀", timestamp: new Date(timestamp) })).toEqual(expected);
    expect(await sign({ ...webhook, body: "é🚀", keys: [parseKey(key)] })).toEqual(expected);
    expect(await sign({ ...webhook, body: "é🚀", keys: { key } })).toEqual(expected);
  });

  it("has one signature per key, in the order of the keys, without the expired", async () => {
    const { privateKey } = await makeKeyPair();
    const keys = [
      { key: makeKey() },
      { key: makeKey(), expiresAt: timestamp },
      { key: privateKey, expiresAt: timestamp + 1 },
    ];
    const { "webhook-signature": signature } = await sign({ ...webhook, keys, now: timestamp });
    expect(signature).toMatch(/^v1,[A-Za-z0-9+/]{43}= v1a,[A-Za-z0-9+/]{86}==$/);
  });
});

describe("sign", () => {
  it("is refused when no key is left", async () => {
    const keys = [{ key, expiresAt: timestamp - 1 }];
    await expect(sign({ ...webhook, keys, now: timestamp })).rejects.toMatchObject({ code: "no_active_key" });
    await expect(sign({ ...webhook, keys })).rejects.toMatchObject({ code: "no_active_key" });
  });

  it.each(["", "a.b", "a b", "ä", "a\n", "a/b", "x".repeat(129), 7, null])("refuses the id %j", async (id) => {
    await expect(sign({ ...webhook, id: id as string })).rejects.toMatchObject({ code: "invalid_id" });
  });

  it("takes ids of 1 to 128 characters", async () => {
    for (const id of ["a", "k3f9x2a1-1042", "_-Z9".repeat(32)]) {
      expect((await sign({ ...webhook, id }))["webhook-id"]).toBe(id);
    }
  });

  it.each([1_614_265_330, Number.NaN, -1, Infinity, 1e14, "1614265330", new Date(Number.NaN)])(
    "refuses the timestamp %s",
    async (given) => {
      await expect(sign({ ...webhook, timestamp: given as number })).rejects.toThrow("milliseconds since 1970");
    },
  );

  it.each([undefined, null, { test: 1 }, [1], 5])("refuses the body %j", async (body) => {
    const options = { ...webhook, body } as unknown as SignOptions;
    await expect(sign(options)).rejects.toThrow("Expected `body` to be bytes (Uint8Array) or a string");
  });
});
