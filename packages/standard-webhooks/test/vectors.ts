import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type * as Package from "@starcast/standard-webhooks";

/** One webhook as it goes over the wire, with what a receiver holds. */
export interface Vector {
  readonly name: string;
  readonly now: number;
  readonly keys: readonly Package.KeyRecord[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly utf8: string } | { readonly base64: string };
}

export interface ValidVector extends Vector {
  /** The keys that make exactly this header; none where the header is not one that this package writes. */
  readonly signedBy: readonly string[];
}

export interface InvalidVector extends Vector {
  readonly code: Package.WebhookErrorCode;
  /** Where other implementations let it through, and why. */
  readonly acceptedBy?: readonly string[];
  readonly why?: string;
}

export interface KeyVector {
  readonly name: string;
  readonly key: string;
  readonly acceptedBy?: readonly string[];
  readonly why?: string;
}

export const valid: readonly ValidVector[] = readVectors<ValidVector[]>("valid");
export const invalid: readonly InvalidVector[] = readVectors<InvalidVector[]>("invalid");
export const keys: { readonly valid: readonly KeyVector[]; readonly invalid: readonly KeyVector[] } =
  readVectors("keys");

export function bytesOf({ body }: Vector): Buffer {
  return "utf8" in body ? Buffer.from(body.utf8) : Buffer.from(body.base64, "base64");
}

/** Every vector against the package, over whichever crypto it was loaded with. */
export function itObeysTheVectors({ sign, verify, parseKey }: typeof Package): void {
  it.each(valid)("accepts $name", async (vector) => {
    const { headers, keys: held, now } = vector;
    expect(await verify({ headers, body: bytesOf(vector), keys: held, now })).toMatchObject({
      id: headers["webhook-id"],
    });
  });

  it.each(valid.filter(({ signedBy }) => signedBy.length > 0))("signs $name", async (vector) => {
    const { "webhook-id": id = "", "webhook-timestamp": seconds } = vector.headers;
    const signed = await sign({ id, timestamp: Number(seconds) * 1000, body: bytesOf(vector), keys: vector.signedBy });
    expect(signed).toEqual(vector.headers);
  });

  it.each(invalid)("refuses $name: $code", async (vector) => {
    const { headers, keys: held, now, code } = vector;
    await expect(verify({ headers, body: bytesOf(vector), keys: held, now })).rejects.toMatchObject({ code });
  });

  it.each(keys.valid)("takes a key of $name", ({ key }) => {
    expect(parseKey(key).expiresAt).toBe(Infinity);
  });

  it.each(keys.invalid)("refuses a key of $name", ({ key }) => {
    expect(() => parseKey(key)).toThrow(expect.objectContaining({ code: "invalid_key" }));
  });
}

function readVectors<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8")) as T;
}
