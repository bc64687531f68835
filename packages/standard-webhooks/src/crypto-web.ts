import { encodeBase64 } from "./base64.ts";
import { pkcs8Head, type CryptoEngine, type MacKey, type SigningKey, type VerifyingKey } from "./crypto-engine.ts";

/** Web Crypto: browsers, workers, Deno, Bun, and Node without the `node` condition. */
export const engine: CryptoEngine = {
  macKey: (secret) => new WebMacKey(secret),
  signingKey: (seed) => new WebSigningKey(seed),
  verifyingKey: (publicKey) => new WebVerifyingKey(publicKey),
  digest: async (head, body) => encodeBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", join(head, body)))),
  equal: (a, b) => {
    // Every character is looked at, whatever the ones before it said.
    let difference = a.length ^ b.length;
    for (let index = 0; index < a.length; index += 1) difference |= a.charCodeAt(index) ^ b.charCodeAt(index);
    return difference === 0;
  },
};

class WebMacKey implements MacKey {
  readonly #key: () => Promise<CryptoKey>;

  constructor(secret: Uint8Array) {
    const raw = new Uint8Array(secret);
    this.#key = once(async () =>
      crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
    );
  }

  async mac(head: string, body: Uint8Array): Promise<string> {
    return encodeBase64(new Uint8Array(await crypto.subtle.sign("HMAC", await this.#key(), join(head, body))));
  }
}

class WebSigningKey implements SigningKey {
  readonly #key: () => Promise<CryptoKey>;

  constructor(seed: Uint8Array) {
    const pkcs8 = new Uint8Array([...pkcs8Head, ...seed]);
    // Extractable, because its JWK is the only door to the public half.
    this.#key = once(async () => crypto.subtle.importKey("pkcs8", pkcs8, { name: "Ed25519" }, true, ["sign"]));
  }

  async sign(head: string, body: Uint8Array): Promise<string> {
    return encodeBase64(new Uint8Array(await crypto.subtle.sign("Ed25519", await this.#key(), join(head, body))));
  }

  async publicKey(): Promise<Uint8Array> {
    const { x = "" } = await crypto.subtle.exportKey("jwk", await this.#key());
    return Uint8Array.from(atob(x.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
  }
}

class WebVerifyingKey implements VerifyingKey {
  readonly #key: () => Promise<CryptoKey>;

  constructor(publicKey: Uint8Array) {
    const raw = new Uint8Array(publicKey);
    this.#key = once(async () => crypto.subtle.importKey("raw", raw, { name: "Ed25519" }, false, ["verify"]));
  }

  async verify(head: string, body: Uint8Array, signature: Uint8Array): Promise<boolean> {
    return crypto.subtle.verify("Ed25519", await this.#key(), new Uint8Array(signature), join(head, body));
  }
}

/** Imports at the first use, so that making a key stays synchronous; a failed import is tried again. */
function once(make: () => Promise<CryptoKey>): () => Promise<CryptoKey> {
  let made: Promise<CryptoKey> | undefined;
  return async () => {
    made ??= make();
    try {
      return await made;
    } catch (error) {
      made = undefined;
      throw error;
    }
  };
}

function join(head: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(head.length + body.byteLength);
  encoder.encodeInto(head, joined);
  joined.set(body, head.length);
  return joined;
}

const encoder = new TextEncoder();
