import { engine } from "#crypto";
import { WebhookError } from "./errors.ts";
import { parseHeaders, type HeaderSource, type ParsedHeaders } from "./headers.ts";
import { parseKeys, type KeyInput, type WebhookKey } from "./keys.ts";
import { readGivenBody } from "./given-body.ts";
import { refuseUnknown } from "./refuse-unknown.ts";
import { contentHead } from "./signature.ts";
import { checkTimestamp, resolveTolerance, type ResolvedTolerance, type Tolerance } from "./tolerance.ts";

/** A webhook as it came, and what the receiver trusts. Unknown names are refused. */
export interface VerifyOptions {
  readonly headers: HeaderSource;
  /** The body exactly as it came; a text stands for its UTF-8 bytes. A parsed body is refused. */
  readonly body: Uint8Array | ArrayBuffer | string;
  /** One to ten keys, `whsec_` or `whpk_`; expired ones are left out. */
  readonly keys: KeyInput | readonly KeyInput[];
  /** How far the attempt may lie in the past and in the future. @default 300_000 */
  readonly toleranceMs?: Tolerance | undefined;
  /** The present, in milliseconds since 1970. @default Date.now() */
  readonly now?: number | undefined;
}

/** A webhook whose sender holds one of the keys, and what is known of it from the signed bytes. */
export interface VerifiedWebhook {
  /** The same at every attempt of one event: what to remember against handling it twice. */
  readonly id: string;
  /** When this attempt was made, in milliseconds since 1970. */
  readonly sentAt: number;
  readonly body: Uint8Array;
}

/** Resolves only if one of the keys signed these bytes with this id and time, recently; else rejects, and says which check failed. */
export async function verify(options: VerifyOptions): Promise<VerifiedWebhook> {
  refuseUnknown("options", options, ["headers", "body", "keys", "toleranceMs", "now"]);
  const keys = parseKeys(options.keys, "verify");
  const tolerance = resolveTolerance(options.toleranceMs);
  return verifyBytes(options.headers, readGivenBody(options.body), { keys, tolerance, now: options.now ?? Date.now() });
}

export interface Checks {
  readonly keys: readonly WebhookKey[];
  readonly tolerance: ResolvedTolerance;
  readonly now: number;
}

/** `verify` for those who have checked their options before. */
export async function verifyBytes(headers: HeaderSource, body: Uint8Array, checks: Checks): Promise<VerifiedWebhook> {
  const parsed = parseHeaders(headers);
  const sentAt = checkTimestamp(parsed.timestamp, checks.now, checks.tolerance);
  const active = checks.keys.filter(({ expiresAt }) => expiresAt > checks.now);
  if (!(await isSignedByAny(active, parsed, body))) throw noMatchingKey(active, parsed);
  return { id: parsed.id, sentAt, body };
}

/**
 * Every signature is compared with what every key makes, to the end, whatever matched before: how long it takes tells
 * nothing of how close a forgery came.
 */
async function isSignedByAny(
  keys: readonly WebhookKey[],
  { id, timestamp, signatures }: ParsedHeaders,
  body: Uint8Array,
): Promise<boolean> {
  const head = contentHead(id, timestamp);
  let matches = 0;
  for (const key of keys) {
    if (key.kind === "shared") {
      const expected = await key.mac.mac(head, body);
      for (const signature of signatures) {
        if (signature.version === "v1") matches += Number(engine.equal(signature.text, expected));
      }
    } else if (key.kind === "public") {
      for (const signature of signatures) {
        if (signature.version === "v1a") matches += Number(await key.verifier.verify(head, body, signature.bytes));
      }
    }
  }
  return matches > 0;
}

function noMatchingKey(keys: readonly WebhookKey[], { signatures }: ParsedHeaders): WebhookError {
  const made = [...new Set(signatures.map(({ version }) => version))].join(" and ") || "none of a known version";
  const wanted =
    [...new Set(keys.map(({ kind }) => (kind === "shared" ? "v1" : "v1a")))].join(" or ") ||
    "none (all keys have expired)";
  return new WebhookError(
    "no_matching_key",
    `Expected a signature (${wanted}) of one of ${keys.length} keys, got ${made}: another key, or the body was changed on its way`,
  );
}
