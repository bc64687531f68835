import { decodeBase64 } from "./base64.ts";
import { WebhookError } from "./errors.ts";
import type { VerifiedWebhook } from "./verify.ts";

/** An event that a sender published, as it came in a verified webhook. */
export interface WebhookEvent<Type extends string = string, Data = unknown> {
  /** `webhook-id`: the same at every attempt, so the key for doing things once. */
  readonly id: string;
  readonly type: Type;
  /** When the event happened, as the sender wrote it; when this attempt was made, if the sender wrote nothing. */
  readonly timestamp: string;
  /** The key of the thing the event is about. */
  readonly subject?: string | undefined;
  /** As the sender wrote it; bytes (Uint8Array) where a CloudEvent carries them in `data_base64`. */
  readonly data: Data;
  /** When this attempt was made, in milliseconds since 1970. */
  readonly sentAt: number;
}

/** What a Starcast sender tells when events of this endpoint will never come. */
export interface GapData {
  /** The last position before the gap; null if it could not be read. */
  readonly after: string | null;
  /** The last position of the gap. */
  readonly through: string;
  readonly reason: string;
}

/** The events of a vocabulary as a union on `type`, and the notice of a gap. */
export type WebhookEventOf<Events> =
  | { readonly [Type in keyof Events & string]: WebhookEvent<Type, Events[Type]> }[keyof Events & string]
  | WebhookEvent<"client.gap", GapData>;

/** A payload that is no event: any JSON, under its id. */
export interface WebhookData {
  readonly id: string;
  readonly data: unknown;
  readonly sentAt: number;
}

/** What is used of a vocabulary such as `defineEvents` of the core makes; anything of this shape will do. */
export interface EventVocabulary<Events> {
  /** Phantom: gives the event map to the compiler only. */
  readonly "~events"?: Events;
  has(type: string): boolean;
  /** What the data is after validation; throws for what it refuses. */
  validate(type: string, data: unknown): unknown;
}

/** The event in a verified body: Standard Webhooks' `{ type, timestamp, data }`, Starcast's envelope, or CloudEvents JSON. */
export function readEvent(webhook: VerifiedWebhook, vocabulary: EventVocabulary<unknown> | undefined): WebhookEvent {
  const payload = readJson(webhook.body);
  if (!isRecord(payload) || typeof payload["type"] !== "string") {
    throw malformedBody('a JSON object with a `type` (for other payloads: `payload: "data"`)');
  }
  const { type, subject } = payload;
  const isCloudEvent = "specversion" in payload;
  const timestamp = payload[isCloudEvent ? "time" : "timestamp"];
  return Object.freeze({
    id: webhook.id,
    type,
    timestamp: typeof timestamp === "string" ? timestamp : new Date(webhook.sentAt).toISOString(),
    ...(typeof subject === "string" && { subject }),
    data: validated(type, isCloudEvent ? cloudEventData(payload) : dataOf(payload), vocabulary),
    sentAt: webhook.sentAt,
  });
}

/** The JSON in a verified body, whatever it is. */
export function readData({ id, body, sentAt }: VerifiedWebhook): WebhookData {
  return Object.freeze({ id, data: readJson(body), sentAt });
}

/** "It can either be passed as part of the data property, or squashed" (Standard Webhooks 1.0, "Payload structure"). */
function dataOf(payload: Readonly<Record<string, unknown>>): unknown {
  return "data" in payload ? payload["data"] : payload;
}

/** May be bytes, and may be nothing (CloudEvents 1.0, JSON format, 3.1). */
function cloudEventData({ data, data_base64: base64 }: Readonly<Record<string, unknown>>): unknown {
  if (base64 === undefined) return data;
  const bytes = typeof base64 === "string" && data === undefined ? decodeBase64(base64) : null;
  if (bytes === null) throw malformedBody("either `data` or, as base64, `data_base64`");
  return bytes;
}

/** Types the vocabulary does not know pass: a sender may add one any day, and must not be refused for it. */
function validated(type: string, data: unknown, vocabulary: EventVocabulary<unknown> | undefined): unknown {
  if (vocabulary === undefined || !vocabulary.has(type)) return data;
  try {
    return vocabulary.validate(type, data);
  } catch (error) {
    throw malformedBody(`data that the vocabulary's validator of this type accepts`, error);
  }
}

function readJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(strictUtf8.decode(body)) as unknown;
  } catch {
    // Without the cause: the parser's message quotes the payload.
    throw malformedBody("JSON in UTF-8");
  }
}

function malformedBody(expected: string, cause?: unknown): WebhookError {
  return new WebhookError("malformed_body", `Expected the body to hold ${expected}`, { cause });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });
