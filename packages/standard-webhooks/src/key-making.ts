import { engine } from "#crypto";
import { invalidOption, WebhookError } from "./errors.ts";
import { keyLimits, keyText, readPrivateKey } from "./keys.ts";
import { refuseUnknown } from "./refuse-unknown.ts";

/** The two halves of an ed25519 key: `privateKey` stays with the sender, `publicKey` goes to receivers. */
export interface KeyPair {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** 256 bits: the strength of SHA-256 itself, and what other makers of such keys give at most. */
const defaultKeyBytes = 32;

/** A new random `whsec_` key of 24 to 64 bytes, 32 if not said otherwise. */
export function makeKey(options: { readonly bytes?: number | undefined } = {}): string {
  refuseUnknown("options", options, ["bytes"]);
  const { bytes = defaultKeyBytes } = options;
  const { minBytes, maxBytes } = keyLimits;
  if (!Number.isInteger(bytes) || bytes < minBytes || bytes > maxBytes) {
    throw invalidOption("bytes", `an integer from ${minBytes} to ${maxBytes}`, bytes);
  }
  return keyText("whsec_", crypto.getRandomValues(new Uint8Array(bytes)));
}

/** A new random ed25519 key pair as `whsk_` and `whpk_`. */
export async function makeKeyPair(): Promise<KeyPair> {
  const seed = crypto.getRandomValues(new Uint8Array(32));
  const publicKey = await engine.signingKey(seed).publicKey();
  // Seed and public key together, as libsodium and the makers of such keys write them.
  return { privateKey: keyText("whsk_", concat(seed, publicKey)), publicKey: keyText("whpk_", publicKey) };
}

/** The `whpk_` of a `whsk_`, to be handed to receivers; refuses a key whose two halves disagree. */
export async function publicKeyOf(privateKey: string): Promise<string> {
  const { seed, publicKey: stated } = readPrivateKey(privateKey);
  const text = keyText("whpk_", await engine.signingKey(seed).publicKey());
  if (stated !== undefined && keyText("whpk_", stated) !== text) {
    throw new WebhookError("invalid_key", "Expected the public half of a whsk_ key to belong to its seed, it does not");
  }
  return text;
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
