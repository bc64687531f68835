import type { MaybePromise } from "./crypto-engine.ts";
import { WebhookError, invalidOption, shapeOf } from "./errors.ts";
import { parseKeys, type KeyInput, type WebhookKey } from "./keys.ts";

/** The three headers of a signed webhook, named as they go over the wire. A type alias, so that it passes for any record. */
export type SignatureHeaders = {
  readonly "webhook-id": string;
  readonly "webhook-timestamp": string;
  readonly "webhook-signature": string;
};

/** What is signed, and with which keys. */
export interface SignOptions {
  /** The event's id, the same at every attempt: 1 to 128 of [A-Za-z0-9_-]. */
  readonly id: string;
  /** The moment of this attempt, as a Date or in milliseconds since 1970; it is signed in whole seconds. */
  readonly timestamp: Date | number;
  /** Exactly what is sent; a text stands for its UTF-8 bytes. */
  readonly body: Uint8Array | string;
  /** One to ten keys: `whsec_` gives a `v1` signature, `whsk_` a `v1a`. Expired ones are left out. */
  readonly keys: KeyInput | readonly KeyInput[];
  /** When keys are judged expired, in milliseconds since 1970. @default Date.now() */
  readonly now?: number | undefined;
}

/**
 * The headers that make `body` a signed webhook: one signature per key, over the bytes `id.timestamp.body` (Standard
 * Webhooks 1.0, "Signature scheme"). Rejects with `invalid_id`, `invalid_key`, `invalid_option`, or `no_active_key`.
 */
export async function sign(options: SignOptions): Promise<SignatureHeaders> {
  const { id, body, keys } = options;
  const timestamp = secondsText(options.timestamp);
  // A full stop in the id would let `id.timestamp.body` be read as another id, timestamp and body.
  if (typeof id !== "string" || !signableId.test(id)) {
    throw new WebhookError("invalid_id", `Expected \`id\` to be 1 to 128 of [A-Za-z0-9_-], got ${shapeOf(id)}`);
  }
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  if (!(bytes instanceof Uint8Array)) throw invalidOption("body", "bytes (Uint8Array) or a string", body);
  const head = contentHead(id, timestamp);
  let signatures = "";
  for (const key of parseKeys(keys, "sign")) {
    if (key.expiresAt !== Infinity && key.expiresAt <= (options.now ?? Date.now())) continue;
    const [version, signature] = signWith(key, head, bytes);
    if (signatures !== "") signatures += " ";
    // No `await` on what is there already: it would cost a turn of the microtask queue per key.
    signatures += `${version},${typeof signature === "string" ? signature : await signature}`;
  }
  if (signatures === "") {
    throw new WebhookError("no_active_key", "Expected at least one key that has not expired, got none");
  }
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures };
}

/** What stands before the body in the signed bytes (Standard Webhooks 1.0, "Signature scheme"). ASCII. */
export function contentHead(id: string, timestamp: string): string {
  return `${id}.${timestamp}.`;
}

/** The bytes a text stands for. */
export const encoder: { encode(text: string): Uint8Array } = new TextEncoder();

function signWith(key: WebhookKey, head: string, body: Uint8Array): readonly [string, MaybePromise<string>] {
  switch (key.kind) {
    case "shared":
      return ["v1", key.mac.mac(head, body)];
    case "private":
      return ["v1a", key.signer.sign(head, body)];
    case "public":
      throw new WebhookError("invalid_key", "Expected keys that can sign (whsec_ or whsk_), got a whpk_ key");
  }
}

function secondsText(timestamp: Date | number): string {
  const ms = typeof timestamp === "number" ? timestamp : timestamp instanceof Date ? timestamp.getTime() : Number.NaN;
  if (!(ms >= earliestMs && ms < latestMs)) {
    throw invalidOption("timestamp", "a Date, or milliseconds since 1970 as Date.now() gives", timestamp);
  }
  return String(Math.floor(ms / 1000));
}

const signableId = /^[A-Za-z0-9_-]{1,128}$/;

// A number below this is certainly a count of seconds: in milliseconds it would be a day of 1973.
const earliestMs = 100_000_000_000;
// Eleven digits of seconds.
const latestMs = 100_000_000_000_000;
