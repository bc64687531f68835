/** Answers of `node:crypto` are there at once, those of Web Crypto later; callers `await` either. */
export type MaybePromise<T> = T | Promise<T>;

/** One HMAC-SHA256 key, prepared once. MUST keep its secret out of what is enumerable or printed. */
export interface MacKey {
  /** HMAC-SHA256 of the bytes of `head` (ASCII) followed by `body`, as base64. */
  mac(head: string, body: Uint8Array): MaybePromise<string>;
}

/** One ed25519 private key, prepared once. MUST keep its secret out of what is enumerable or printed. */
export interface SigningKey {
  /** The signature of the bytes of `head` (ASCII) followed by `body`, as base64. */
  sign(head: string, body: Uint8Array): MaybePromise<string>;
  /** The 32 bytes of the public key. */
  publicKey(): MaybePromise<Uint8Array>;
}

/** One ed25519 public key, prepared once. */
export interface VerifyingKey {
  verify(head: string, body: Uint8Array, signature: Uint8Array): MaybePromise<boolean>;
}

/** What `#crypto` gives: `crypto-node.ts` under the `node` condition, `crypto-web.ts` everywhere else. */
export interface CryptoEngine {
  macKey(secret: Uint8Array): MacKey;
  /** `seed`: the 32 bytes RFC 8032 calls the private key. */
  signingKey(seed: Uint8Array): SigningKey;
  verifyingKey(publicKey: Uint8Array): VerifyingKey;
  /** SHA-256 of the bytes of `head` (ASCII) followed by `body`, as base64. */
  digest(head: string, body: Uint8Array): MaybePromise<string>;
  /** Whether two texts of equal length are the same, in a time that does not depend on where they differ. */
  equal(a: string, b: string): boolean;
}

// RFC 8410, section 7 and 4: what stands before the bare 32 bytes in PKCS #8 and in SubjectPublicKeyInfo.
export const pkcs8Head: readonly number[] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
export const spkiHead: readonly number[] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
