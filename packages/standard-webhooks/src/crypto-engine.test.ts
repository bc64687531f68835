import { createHmac, sign as signWithOpenSsl, createPrivateKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { asyncProperty, randomBytes, type Random } from "../test/property.ts";
import { decodeBase64 } from "./base64.ts";
import { pkcs8Head } from "./crypto-engine.ts";
import { engine as node } from "./crypto-node.ts";
import { engine as web } from "./crypto-web.ts";

describe.each([
  ["node:crypto", node],
  ["Web Crypto", web],
])("%s", (_name, engine) => {
  it("makes the HMAC of RFC 4231, test case 1 and 2", async () => {
    const cases: readonly (readonly [Uint8Array, string, string])[] = [
      [new Uint8Array(20).fill(0x0b), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
      [
        Buffer.from("Jefe"),
        "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      ],
    ];
    for (const [key, text, hex] of cases) {
      expect(await engine.macKey(key).mac("", Buffer.from(text))).toBe(Buffer.from(hex, "hex").toString("base64"));
    }
  });

  it("makes the HMAC that createHmac makes, short and long, for every size of key", async () => {
    await asyncProperty(200, async (random) => {
      const key = randomBytes(random, random.integer(24, 64));
      const { head, body } = content(random, [0, 300, 4200, 20_000]);
      const expected = createHmac("sha256", key).update(head).update(body).digest("base64");
      expect(await engine.macKey(key).mac(head, body)).toBe(expected);
    });
  });

  it("keeps two keys apart when their uses alternate", async () => {
    const [first, second] = [engine.macKey(new Uint8Array(32).fill(1)), engine.macKey(new Uint8Array(64).fill(2))];
    const before = [await first.mac("a.1.", new Uint8Array(9)), await second.mac("b.2.", new Uint8Array(99))];
    const after = await Promise.all([first.mac("a.1.", new Uint8Array(9)), second.mac("b.2.", new Uint8Array(99))]);
    expect(after).toEqual(before);
  });

  it("signs with ed25519 what OpenSSL signs, and verifies only that", async () => {
    await asyncProperty(50, async (random) => {
      const seed = randomBytes(random, 32);
      const { head, body } = content(random, [0, 300]);
      const key = engine.signingKey(seed);
      const opened = createPrivateKey({ key: Buffer.from([...pkcs8Head, ...seed]), format: "der", type: "pkcs8" });
      const signature = await key.sign(head, body);
      expect(signature).toBe(
        signWithOpenSsl(null, Buffer.concat([Buffer.from(head), body]), opened).toString("base64"),
      );

      const bytes = decodeBase64(signature) ?? new Uint8Array();
      const verifier = engine.verifyingKey(await key.publicKey());
      expect(await verifier.verify(head, body, bytes)).toBe(true);
      const forged = bytes.slice();
      const at = random.integer(0, 63);
      forged[at] = (forged[at] ?? 0) ^ (1 << random.integer(0, 7));
      expect(await verifier.verify(head, body, forged)).toBe(false);
      expect(await verifier.verify(`x${head}`, body, bytes)).toBe(false);
    });
  });

  it("makes the SHA-256 of head and body", async () => {
    expect(await engine.digest("a", Buffer.from("bc"))).toBe("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  });

  it("tells equal texts from others", () => {
    expect(engine.equal("abc", "abc")).toBe(true);
    expect(engine.equal("", "")).toBe(true);
    for (const other of ["abd", "Abc", "ab", "abcd", ""]) expect(engine.equal("abc", other)).toBe(false);
  });

  it("shows no secret when a key is printed", () => {
    const secret = new Uint8Array(32).fill(0x41);
    for (const key of [engine.macKey(secret), engine.signingKey(secret)]) {
      expect(JSON.stringify(key) + String(Object.getOwnPropertyNames(key))).not.toMatch(/65|41|A/);
    }
  });
});

describe("the two engines", () => {
  it("agree on everything", async () => {
    await asyncProperty(100, async (random) => {
      const secret = randomBytes(random, 32);
      const { head, body } = content(random, [0, 200, 5000]);
      expect(await web.macKey(secret).mac(head, body)).toBe(node.macKey(secret).mac(head, body));
      expect(await web.signingKey(secret).publicKey()).toEqual(node.signingKey(secret).publicKey());
      expect(await web.digest(head, body)).toBe(node.digest(head, body));
    });
  });
});

function content(random: Random, sizes: readonly number[]): { head: string; body: Uint8Array } {
  const head = `evt_${random.integer(0, 999_999)}.${random.integer(0, 2_000_000_000)}.`;
  return { head, body: randomBytes(random, random.pick(sizes) + random.integer(0, 70)) };
}
