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

/** Makes payloads, and keeps the newest few: endpoints get the same event at about the same time, encoded once per format. */
export class PayloadMaker {
  readonly #source: string;
  readonly #kept: (Kept | undefined)[] = new Array<undefined>(maxKept).fill(undefined);

  constructor(source: string | null) {
    this.#source = source ?? "/";
  }

  make(format: PayloadFormat, event: DeliveredEvent): Payload {
    // Each place of the log has its slot; a map with an order of age measured 3x dearer than encoding a small event.
    const slot = slotOf(event.id);
    const known = this.#kept[slot];
    if (known !== undefined && known.id === event.id && known.format === format) return known.payload;
    const payload = makePayload(format, event, this.#source);
    this.#kept[slot] = { id: event.id, format, payload };
    return payload;
  }
}

/** Payloads kept for the next endpoint: with events of at most 256 KiB, 16 MiB. */
export const maxKept = 64;

interface Kept {
  readonly id: string;
  readonly format: PayloadFormat;
  readonly payload: Payload;
}

// The last two digits of the offset are enough to give neighbours different slots.
function slotOf(id: string): number {
  return (id.charCodeAt(id.length - 2) * 10 + id.charCodeAt(id.length - 1)) & (maxKept - 1);
}

/** The bytes and headers of one event in one format. Pure. */
export function makePayload(format: PayloadFormat, delivered: DeliveredEvent, source: string): Payload {
  const event = logEventOf(delivered);
  switch (format) {
    case "envelope":
      return { body: json.encode(event), headers: jsonHeaders };
    case "data":
      return { body: utf8.encode(event.json), headers: jsonHeaders };
    case "cloudevents":
      return { body: cloudEvents({ source }).encode(event), headers: ["content-type", cloudEventsContentType] };
    case "cloudevents-binary":
      return {
        body: utf8.encode(event.json),
        headers: ["content-type", "application/json", ...binaryHeaders(event, source)],
      };
  }
}

const jsonHeaders: readonly string[] = ["content-type", "application/json"];

const utf8 = new TextEncoder();

// HTTP binding 1.0, 3.1.3: prefixed names, values percent-encoded where they are not plain ASCII.
function binaryHeaders(event: LogEvent, source: string): readonly string[] {
  return cloudEventAttributes(event, source).flatMap(([name, value]) => [`ce-${name}`, percentEncoded(value)]);
}

function percentEncoded(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]+/gu, encodeURIComponent).replace(/"/g, "%22");
}

// An id is `<epoch>-<offset>`; those of this package's own events (`<epoch>-gap-<begin>-<offset>`) are cut at the last hyphen too.
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
