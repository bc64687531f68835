import { decodeBase64 } from "./base64.ts";
import { WebhookError, invalidOption } from "./errors.ts";

/** Headers as runtimes hold them: a Fetch `Headers`, or an object of names (of any case) to values. */
export type HeaderSource =
  { get(name: string): string | null } | Readonly<Record<string, string | readonly string[] | undefined>>;

/** The three headers of a signed webhook, taken apart. Nothing in it is trusted before the signature is checked. */
export interface ParsedHeaders {
  readonly id: string;
  /** As it was sent: these digits are signed. */
  readonly timestamp: string;
  readonly signatures: readonly Signature[];
}

/** One entry of `webhook-signature`, of a version known here. */
export type Signature =
  { readonly version: "v1"; readonly text: string } | { readonly version: "v1a"; readonly bytes: Uint8Array };

/** What a sender may send: whoever can reach the endpoint can make it parse and check this much. */
export const headerLimits: Readonly<{ maxIdLength: number; maxSignatureLength: number; maxSignatures: number }> =
  Object.freeze({
    /** Ids of other senders may be longer than the 128 characters signed here. */
    maxIdLength: 256,
    maxSignatureLength: 2048,
    /** A sender with ten keys signs ten times; each ed25519 signature costs a check per public key. */
    maxSignatures: 10,
  });

/** Takes the three headers apart; throws `missing_header` or `malformed_header` for whatever is not exactly as specified. */
export function parseHeaders(headers: HeaderSource): ParsedHeaders {
  const id = readHeader(headers, "webhook-id");
  const timestamp = readHeader(headers, "webhook-timestamp");
  const signature = readHeader(headers, "webhook-signature");
  if (!visibleId.test(id) || id.length > headerLimits.maxIdLength) {
    const because = id.includes(".")
      ? "a full stop makes the signed content ambiguous"
      : `at most ${headerLimits.maxIdLength}`;
    throw malformed("webhook-id", `visible ASCII without a full stop (${because})`);
  }
  if (!wholeSeconds.test(timestamp)) throw malformed("webhook-timestamp", "whole seconds since 1970 in decimal digits");
  return { id, timestamp, signatures: parseSignatures(signature) };
}

function parseSignatures(header: string): readonly Signature[] {
  const { maxSignatureLength, maxSignatures } = headerLimits;
  if (header.length > maxSignatureLength) {
    throw malformed("webhook-signature", `at most ${maxSignatureLength} characters`);
  }
  const entries = header.split(" ");
  if (entries.length > maxSignatures) throw malformed("webhook-signature", `at most ${maxSignatures} signatures`);
  const signatures: Signature[] = [];
  for (const entry of entries) {
    const [, version, text] = signatureEntry.exec(entry) ?? [];
    if (version === undefined || text === undefined) {
      throw malformed("webhook-signature", "entries of the form `version,signature`, one space between them");
    }
    const signature = readSignature(version, text);
    if (signature !== undefined) signatures.push(signature);
  }
  return signatures;
}

/** Versions not known here are skipped, so that a sender may add one (Standard Webhooks 1.0, "Webhook headers"). */
function readSignature(version: string, text: string): Signature | undefined {
  if (version === "v1") {
    if (decodeBase64(text)?.length !== 32) throw malformed("webhook-signature", "a v1 signature of 32 bytes in base64");
    return { version, text };
  }
  if (version === "v1a") {
    const bytes = decodeBase64(text);
    if (bytes?.length !== 64) throw malformed("webhook-signature", "a v1a signature of 64 bytes in base64");
    return { version, bytes };
  }
  return undefined;
}

function readHeader(headers: HeaderSource, name: string): string {
  const value = isFetchHeaders(headers) ? headers.get(name) : findHeader(headers, name);
  if (value === null || value === undefined || value === "") {
    throw new WebhookError(
      "missing_header",
      `Expected the header \`${name}\`, got none: a proxy may drop it, or this is no Standard Webhook`,
    );
  }
  if (typeof value !== "string") throw malformed(name, "present once");
  return value;
}

/** Node gives lower-case names, gateways and hand-written objects do not. A name that comes twice, in two cases, is refused. */
function findHeader(headers: Readonly<Record<string, string | readonly string[] | undefined>>, name: string): unknown {
  let found: unknown;
  for (const key of Object.keys(headers)) {
    if (key.length !== name.length || key.toLowerCase() !== name) continue;
    const given = headers[key];
    const value: unknown = Array.isArray(given) && given.length === 1 ? given[0] : given;
    if (value === undefined) continue;
    if (found !== undefined) throw malformed(name, "present once");
    found = value;
  }
  return found;
}

function isFetchHeaders(headers: HeaderSource): headers is { get(name: string): string | null } {
  if (typeof headers !== "object" || headers === null) {
    throw invalidOption("headers", "Headers, or an object of names to values", headers);
  }
  return typeof headers.get === "function";
}

function malformed(name: string, expected: string): WebhookError {
  return new WebhookError("malformed_header", `Expected \`${name}\` to be ${expected}`);
}

// Everything printable but the space, the comma that joins repeated headers, and the full stop.
const visibleId = /^[\x21-\x2b\x2d\x2f-\x7e]+$/;
// No sign, no leading zero, no exponent; eleven digits reach the year 5138.
const wholeSeconds = /^(?:0|[1-9]\d{0,10})$/;
const signatureEntry = /^([a-z0-9]{1,16}),([^\s,]+)$/;
