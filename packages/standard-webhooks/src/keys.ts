import { engine } from "#crypto";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import type { MacKey, SigningKey, VerifyingKey } from "./crypto-engine.ts";
import { invalidOption, shapeOf, WebhookError } from "./errors.ts";
import { refuseUnknown } from "./refuse-unknown.ts";

/** A key as it is stored: JSON, with the moment (milliseconds since 1970) from which it no longer counts. */
export interface KeyRecord {
  readonly key: string;
  readonly expiresAt?: number | undefined;
}

/** A key as callers give it: its text, its record, or parsed once by `parseKey` for those who use it often. */
export type KeyInput = string | KeyRecord | WebhookKey;

/** A key ready for use. Printing one, or turning it into JSON, never shows the secret. */
export type WebhookKey = SharedKey | PrivateKey | PublicKey;

/** `whsec_`: signs and verifies `v1`, HMAC-SHA256. Both sides hold it. */
export interface SharedKey extends KeyTraits {
  readonly kind: "shared";
  readonly mac: MacKey;
}

/** `whsk_`: signs `v1a`, ed25519. Only the sender holds it. */
export interface PrivateKey extends KeyTraits {
  readonly kind: "private";
  readonly signer: SigningKey;
}

/** `whpk_`: verifies `v1a`, ed25519. Anyone may hold it. */
export interface PublicKey extends KeyTraits {
  readonly kind: "public";
  readonly verifier: VerifyingKey;
}

interface KeyTraits {
  /** The key as logs may show it. */
  readonly label: string;
  /** Milliseconds since 1970 from which the key no longer signs or verifies; `Infinity` for never. */
  readonly expiresAt: number;
}

/** Standard Webhooks 1.0, "Signature scheme": at least 192 bits, at most 512. */
export const keyLimits: Readonly<{ minBytes: number; maxBytes: number; maxKeys: number }> = Object.freeze({
  minBytes: 24,
  maxBytes: 64,
  /** Keys at once, on either side: what one verification may cost is keys times signatures. */
  maxKeys: 10,
});

/** A key ready for use, from its text or record; throws `invalid_key` or `invalid_option`, and never shows what came. */
export function parseKey(input: KeyInput): WebhookKey {
  if (typeof input === "string") return parseText(input, Infinity);
  if (typeof input !== "object" || input === null) {
    throw new WebhookError("invalid_key", `Expected a key to be a text or { key, expiresAt }, got ${shapeOf(input)}`);
  }
  return "kind" in input ? input : parseRecord(input);
}

/** The key of a record; unlike `parseKey`, refuses one that is parsed, as its text is gone. */
export function parseRecord(record: KeyRecord): WebhookKey {
  // A mistyped expiry would be none at all.
  refuseUnknown("key", record, ["key", "expiresAt"]);
  const { key, expiresAt = Infinity } = record;
  if (typeof expiresAt !== "number" || Number.isNaN(expiresAt)) {
    throw invalidOption("expiresAt", "a time in milliseconds since 1970, such as Date.now() gives", expiresAt);
  }
  return parseText(key, expiresAt);
}

/** All keys ready for use, in order, one to ten of them; throws for what this use cannot take. */
export function parseKeys(inputs: KeyInput | readonly KeyInput[], use: "sign" | "verify"): readonly WebhookKey[] {
  const list = isList(inputs) ? inputs : [inputs];
  // Keys parsed before are the hot path of a sender: one list, made once, is used for every attempt.
  const keys = areParsed(list) ? list : list.map(parseKey);
  if (keys.length === 0 || keys.length > keyLimits.maxKeys) {
    throw invalidOption("keys", `one to ${keyLimits.maxKeys} keys`, inputs);
  }
  for (const { kind } of keys) if (kind === unusableFor[use]) throw new WebhookError("invalid_key", hints[use]);
  return keys;
}

/** The key as logs and pages may show it: enough to tell keys apart, useless to whoever finds it. */
export function redactKey(text: string): string {
  const prefix = typeof text === "string" ? prefixOf(text) : undefined;
  if (prefix === undefined) return "(not a key)";
  return prefix === "whpk_" ? text : `${text.slice(0, prefix.length + shownCharacters)}…`;
}

/** The 32 bytes from which RFC 8032 makes everything else, and the public half where the text carries it. */
export function readPrivateKey(text: string): {
  readonly seed: Uint8Array;
  readonly publicKey: Uint8Array | undefined;
} {
  if (typeof text !== "string" || !text.startsWith("whsk_")) {
    throw new WebhookError("invalid_key", `Expected a key that starts with whsk_, got ${shapeOf(text)}`);
  }
  const bytes = decodeBody(text, "whsk_", (size) => size === 32 || size === 64, "32 or 64 bytes");
  return { seed: bytes.subarray(0, 32), publicKey: bytes.length === 64 ? bytes.subarray(32) : undefined };
}

function parseText(text: unknown, expiresAt: number): WebhookKey {
  if (typeof text === "string" && text.trim() !== text) {
    throw new WebhookError(
      "invalid_key",
      `Expected a key without spaces or line breaks around it, got ${shapeOf(text)}: files often end with a line break`,
    );
  }
  const prefix = typeof text === "string" ? prefixOf(text) : undefined;
  if (typeof text !== "string" || prefix === undefined) {
    throw new WebhookError("invalid_key", `Expected a key to start with whsec_, whsk_ or whpk_, got ${shapeOf(text)}`);
  }
  const label = redactKey(text);
  switch (prefix) {
    case "whsec_": {
      const { minBytes, maxBytes } = keyLimits;
      const secret = decodeBody(
        text,
        prefix,
        (size) => size >= minBytes && size <= maxBytes,
        `${minBytes} to ${maxBytes} bytes`,
      );
      return Object.freeze({ kind: "shared", label, expiresAt, mac: engine.macKey(secret) });
    }
    case "whsk_":
      return Object.freeze({ kind: "private", label, expiresAt, signer: engine.signingKey(readPrivateKey(text).seed) });
    case "whpk_": {
      const publicKey = decodeBody(text, prefix, (size) => size === 32, "32 bytes");
      return Object.freeze({ kind: "public", label, expiresAt, verifier: engine.verifyingKey(publicKey) });
    }
  }
}

function decodeBody(text: string, prefix: KeyPrefix, fits: (size: number) => boolean, expected: string): Uint8Array {
  const bytes = decodeBase64(text.slice(prefix.length));
  if (bytes === null) {
    throw new WebhookError(
      "invalid_key",
      `Expected standard base64 with padding after ${prefix}, got ${shapeOf(text)}`,
    );
  }
  if (!fits(bytes.length)) {
    throw new WebhookError("invalid_key", `Expected a ${prefix} key of ${expected}, got ${bytes.length} bytes`);
  }
  return bytes;
}

/** The text of a key: the one writer of what `parseKey` reads. */
export function keyText(prefix: KeyPrefix, bytes: Uint8Array): string {
  return prefix + encodeBase64(bytes);
}

export type KeyPrefix = "whsec_" | "whsk_" | "whpk_";

const prefixes: readonly KeyPrefix[] = ["whsec_", "whsk_", "whpk_"];

// 24 of at least 192 bits.
const shownCharacters = 4;

const unusableFor = { sign: "public", verify: "private" } as const;
const hints = {
  sign: "Expected keys that can sign (whsec_ or whsk_), got a whpk_ key: that one only verifies",
  verify:
    "Expected keys that verify (whsec_ or whpk_), got a whsk_ key: that one stays with the sender; take its whpk_ (`publicKeyOf`)",
};

function prefixOf(text: string): KeyPrefix | undefined {
  return prefixes.find((prefix) => text.startsWith(prefix));
}

function areParsed(inputs: readonly KeyInput[]): inputs is readonly WebhookKey[] {
  for (const input of inputs) if (typeof input !== "object" || input === null || !("kind" in input)) return false;
  return true;
}

function isList(value: KeyInput | readonly KeyInput[]): value is readonly KeyInput[] {
  return Array.isArray(value);
}
