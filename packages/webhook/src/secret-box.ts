import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { InvalidOptionError, StarcastError } from "@starcast/core";

/**
 * Seals what must not lie readable in a store: AES-256-GCM, bound to the record it belongs to. The first key seals, every
 * key opens, so that a key is changed by putting the new one first. Without keys nothing is sealed.
 */
export class SecretBox {
  readonly #keys: readonly SealingKey[];

  constructor(keys: readonly string[]) {
    this.#keys = keys.map(parseSealingKey);
  }

  get canSeal(): boolean {
    return this.#keys.length > 0;
  }

  /** `owner` is what the secret belongs to: sealed text copied to another owner does not open. */
  seal(owner: string, text: string): string {
    const [key] = this.#keys;
    if (key === undefined) throw new StarcastError("unsupported", "Expected an `encryptionKey` to seal with, got none");
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key.bytes, nonce).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `${prefix}${key.name}.${sealed.toString("base64")}`;
  }

  /** Whether it is sealed as it would be now. */
  isSealed(text: string): boolean {
    const [key] = this.#keys;
    return key !== undefined && text.startsWith(`${prefix}${key.name}.`);
  }

  /** Throws `store_corrupt` when no key opens it, or when it was changed, cut or moved. */
  open(owner: string, sealed: string): string {
    const [name, body = ""] = sealed.slice(prefix.length).split(".");
    const key = this.#keys.find((each) => each.name === name);
    if (!sealed.startsWith(prefix) || key === undefined) throw unreadable("none of the given keys has sealed it");
    const bytes = Buffer.from(body, "base64");
    if (bytes.length < 28) throw unreadable("it was cut");
    try {
      const decipher = createDecipheriv("aes-256-gcm", key.bytes, bytes.subarray(0, 12))
        .setAAD(Buffer.from(owner))
        .setAuthTag(bytes.subarray(-16));
      return decipher.update(bytes.subarray(12, -16), undefined, "utf8") + decipher.final("utf8");
    } catch (error) {
      throw unreadable("it was changed or moved", error);
    }
  }
}

interface SealingKey {
  /** Tells keys apart, and nothing about them. */
  readonly name: string;
  readonly bytes: Buffer;
}

const prefix = "sealed1.";

function parseSealingKey(text: string): SealingKey {
  const bytes = typeof text === "string" && /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, "base64") : null;
  if (bytes === null || bytes.length !== 32) {
    throw new InvalidOptionError({
      option: "encryptionKey",
      expected: "32 random bytes in base64 (`openssl rand -base64 32`)",
      received: text,
      isSecret: true,
    });
  }
  return { name: createHash("sha256").update("starcast webhook keys").update(bytes).digest("hex").slice(0, 8), bytes };
}

function unreadable(why: string, cause?: unknown): StarcastError {
  return new StarcastError(
    "store_corrupt",
    `Expected a sealed secret that \`encryptionKey\` opens, got one it does not: ${why}`,
    { cause },
  );
}
