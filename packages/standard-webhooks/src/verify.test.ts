import { describe, expect, it } from "vitest";
import { asyncProperty, randomBytes } from "../test/property.ts";
import { makeKey, makeKeyPair } from "./key-making.ts";
import { parseKey, type WebhookKey } from "./keys.ts";
import { sign } from "./signature.ts";
import { verify, type VerifyOptions } from "./verify.ts";

const now = 1_700_000_000_000;

describe("verify", () => {
  it("resolves with id, time and the very bytes", async () => {
    const { headers, body, keys } = await signed();
    expect(await verify({ headers, body, keys, now: now + 1500 })).toEqual({ id: "evt-1", sentAt: now, body });
  });

  it("takes bytes of any kind, and texts for their UTF-8 bytes", async () => {
    const body = new TextEncoder().encode('{"é":"🚀"}');
    const { headers, keys } = await signed({ body });
    const padded = new Uint8Array([0, ...body, 0]);
    const kinds = [
      body,
      body.slice().buffer,
      Buffer.from(body),
      padded.subarray(1, -1),
      new DataView(padded.buffer, 1, body.length),
      '{"é":"🚀"}',
    ];
    for (const kind of kinds) expect((await verify({ headers, body: kind as Uint8Array, keys, now })).id).toBe("evt-1");
  });

  it.each([{ type: "a.b" }, undefined, null, [1, 2], 5])(
    "refuses the parsed body %j, and says what to do",
    async (body) => {
      const { headers, keys } = await signed();
      const verified = verify({ headers, body, keys, now } as unknown as VerifyOptions);
      await expect(verified).rejects.toMatchObject({ code: "body_already_parsed" });
      for (const name of ["express.raw", "addContentTypeParser", "c.req.raw", "bodyParser: false", "rawBody: true"]) {
        await expect(verified).rejects.toThrow(name);
      }
    },
  );

  it("knows any of several keys, of both kinds, under any of several signatures", async () => {
    const pair = await makeKeyPair();
    const [old, next] = [makeKey(), makeKey()];
    const { headers, body } = await signed({ keys: [old, next, pair.privateKey] });
    for (const keys of [
      old,
      next,
      pair.publicKey,
      [makeKey(), next],
      [makeKey(), pair.publicKey],
      [pair.publicKey, old],
    ]) {
      expect((await verify({ headers, body, keys, now })).id).toBe("evt-1");
    }
    const strangers = [makeKey(), (await makeKeyPair()).publicKey];
    await expect(verify({ headers, body, keys: strangers, now })).rejects.toMatchObject({ code: "no_matching_key" });
  });

  it("compares every signature with every key, whichever matched before", async () => {
    const pair = await makeKeyPair();
    const [first, second] = [makeKey(), makeKey()];
    const { headers, body } = await signed({ keys: [first, pair.privateKey, second] });
    const used: string[] = [];
    const watched = [first, pair.publicKey, second, makeKey()].map((text) => watch(parseKey(text), used));
    expect((await verify({ headers, body, keys: watched, now })).id).toBe("evt-1");
    expect(used).toEqual(["mac", "verify", "mac", "mac"]);
    used.length = 0;
    const [v1 = "", v1a = ""] = headers["webhook-signature"].split(" ");
    const v1aFirst = { ...headers, "webhook-signature": `${v1a} ${v1a} ${v1}` };
    expect((await verify({ headers: v1aFirst, body, keys: watched, now })).id).toBe("evt-1");
    expect(used).toEqual(["mac", "verify", "verify", "mac", "mac"]);
  });

  it("stops knowing a key when it expires", async () => {
    const { headers, body, key } = await signed();
    const keys = [{ key, expiresAt: now + 1 }, makeKey()];
    expect((await verify({ headers, body, keys, now })).id).toBe("evt-1");
    await expect(verify({ headers, body, keys, now: now + 1 })).rejects.toMatchObject({ code: "no_matching_key" });
    await expect(verify({ headers, body, keys: { key, expiresAt: now }, now })).rejects.toThrow(
      "none (all keys have expired)",
    );
  });

  it("says which kind of signature was there, and which would be needed", async () => {
    const { headers, body } = await signed();
    await expect(verify({ headers, body, keys: (await makeKeyPair()).publicKey, now })).rejects.toThrow(
      "(v1a) of one of 1 keys, got v1",
    );
    const unknown = { ...headers, "webhook-signature": "v9,abc" };
    await expect(verify({ headers: unknown, body, keys: makeKey(), now })).rejects.toThrow(
      "got none of a known version",
    );
  });

  it("refuses a signature of one kind under the name of the other", async () => {
    const { headers, body, keys } = await signed();
    const renamed = { ...headers, "webhook-signature": headers["webhook-signature"].replace("v1,", "v1a,") };
    await expect(verify({ headers: renamed, body, keys, now })).rejects.toMatchObject({ code: "malformed_header" });
  });

  it("refuses options it does not know: a mistyped tolerance would be none", async () => {
    const { headers, body, keys } = await signed();
    const options = { headers, body, keys, now, tolerance: 5 } as VerifyOptions;
    await expect(verify(options)).rejects.toThrow("there is no such option (`toleranceMs`?)");
  });

  it("looks at the time before anything costs time, in both directions", async () => {
    const { headers, body, keys } = await signed();
    await expect(verify({ headers, body, keys, now: now + 301_000 })).rejects.toMatchObject({
      code: "timestamp_too_old",
    });
    await expect(verify({ headers, body, keys, now: now - 301_000 })).rejects.toMatchObject({
      code: "timestamp_too_new",
    });
    expect((await verify({ headers, body, keys, now: now + 400_000, toleranceMs: { past: 400_000 } })).id).toBe(
      "evt-1",
    );
    await expect(verify({ headers, body, keys })).rejects.toMatchObject({ code: "timestamp_too_old" });
  });
});

describe("whatever is signed", () => {
  it("verifies as it was sent, and no longer after any one change", async () => {
    const pair = await makeKeyPair();
    await asyncProperty(300, async (random) => {
      const key = makeKey({ bytes: random.integer(24, 64) });
      const id = Array.from({ length: random.integer(1, 128) }, () => random.pick("abcXYZ019_-")).join("");
      const body = randomBytes(random, random.integer(0, 400));
      const headers = await sign({
        id,
        timestamp: now,
        body,
        keys: random.pick([[key], [pair.privateKey], [key, pair.privateKey]]),
      });
      const keys = [key, pair.publicKey];
      expect(await verify({ headers, body, keys, now })).toEqual({ id, sentAt: now, body });

      const changes: readonly (() => Partial<VerifyOptions>)[] = [
        () => ({ body: new Uint8Array([...body, random.integer(0, 255)]) }),
        () => ({ body: changeOne(body, random.integer(0, Math.max(0, body.length - 1))) }),
        () => ({ headers: { ...headers, "webhook-id": `${id}x` } }),
        () => ({ headers: { ...headers, "webhook-timestamp": String(now / 1000 + random.pick([-1, 1])) } }),
        () => ({ keys: [makeKey()] }),
      ];
      await expect(verify({ headers, body, keys, now, ...random.pick(changes)() })).rejects.toMatchObject({
        code: "no_matching_key",
      });
    });
  });
});

function changeOne(bytes: Uint8Array, at: number): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(1);
  const changed = bytes.slice();
  changed[at] = (changed[at] ?? 0) ^ 0x10;
  return changed;
}

/** The same key, which notes each use. */
function watch(key: WebhookKey, used: string[]): WebhookKey {
  const note = <T>(what: string, value: T): T => {
    used.push(what);
    return value;
  };
  if (key.kind === "shared") {
    return { ...key, mac: { mac: (...given) => note("mac", key.mac.mac(...given)) } };
  }
  if (key.kind === "public") {
    return { ...key, verifier: { verify: (...given) => note("verify", key.verifier.verify(...given)) } };
  }
  return key;
}

async function signed(given: { readonly body?: Uint8Array; readonly keys?: readonly string[] } = {}) {
  const key = makeKey();
  const body = given.body ?? new TextEncoder().encode('{"type":"model.added","data":{}}');
  const headers = await sign({ id: "evt-1", timestamp: now, body, keys: given.keys ?? key });
  return { headers, body, key, keys: key };
}
