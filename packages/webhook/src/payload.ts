import {
  cloudEventAttributes,
  cloudEvents,
  cloudEventsContentType,
  json,
  LogEvent,
  type DeliveredEvent,
} from "@starcast/core";
import type { PayloadFormat } from "./endpoint-options.ts";

/** What is posted of one event: the bytes that are signed, and the headers that say what they are. */
export interface Payload {
  readonly body: Uint8Array;
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

/** Makes payloads, and keeps the newest: an event that many endpoints get is encoded once per format. Bounded in bytes. */
export class PayloadMaker {
  readonly #source: string;
  readonly #kept = new Map<string, Payload>();
  #keptBytes = 0;

  constructor(source: string | null) {
    this.#source = source ?? "/";
  }

  make(format: PayloadFormat, event: DeliveredEvent): Payload {
    const key = `${format} ${event.id}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const payload = makePayload(format, event, this.#source);
    this.#kept.set(key, payload);
    this.#keptBytes += payload.body.length;
    for (const [oldest, { body }] of this.#kept) {
      if (this.#keptBytes <= maxKeptBytes && this.#kept.size <= maxKept) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= body.length;
    }
    return payload;
  }
}

/** Payloads kept for the next endpoint. */
export const maxKept = 1_024;
export const maxKeptBytes = 4_194_304;

/** The bytes and headers of one event in one format. Pure. */
export function makePayload(format: PayloadFormat, delivered: DeliveredEvent, source: string): Payload {
  const event = logEventOf(delivered);
  switch (format) {
    case "envelope":
      return { body: event.bytes(json), headers: ["content-type", "application/json"] };
    case "data":
      return { body: utf8.encode(event.json), headers: ["content-type", "application/json"] };
    case "cloudevents":
      return { body: event.bytes(cloudEvents({ source })), headers: ["content-type", cloudEventsContentType] };
    case "cloudevents-binary":
      return {
        body: utf8.encode(event.json),
        headers: ["content-type", "application/json", ...binaryHeaders(event, source)],
      };
  }
}

const utf8 = new TextEncoder();

// HTTP binding 1.0, 3.1.3: prefixed names, values percent-encoded where they are not plain ASCII.
function binaryHeaders(event: LogEvent, source: string): readonly string[] {
  return cloudEventAttributes(event, source).flatMap(([name, value]) => [`ce-${name}`, percentEncoded(value)]);
}

function percentEncoded(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]+/gu, encodeURIComponent).replace(/"/g, "%22");
}

// An id is `<epoch>-<offset>`; those of this package's own events (`<epoch>-gap-<offset>`) are cut at the last hyphen too.
function logEventOf(delivered: DeliveredEvent): LogEvent {
  const cut = delivered.id.lastIndexOf("-");
  const { type, subject, timestamp, json: text } = delivered;
  return new LogEvent(delivered.id.slice(0, cut), Number(delivered.id.slice(cut + 1)), timestamp, {
    type,
    subject,
    json: text,
    sizeBytes: text.length,
  });
}
