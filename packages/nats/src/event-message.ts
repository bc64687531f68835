import type { EventDraft, StoredEvent } from "@starcast/core";
import { StarcastError } from "@starcast/core";

/** An event as the payload of a message: a line of JSON with what is said of it, then its data as it was published. */
export function encodeEvent({ type, subject, json, sizeBytes }: EventDraft): Uint8Array {
  return encoder.encode(`${JSON.stringify([type, subject ?? null, sizeBytes])}\n${json}`);
}

/** Throws `store_corrupt` for a payload that Starcast did not write. */
export function decodeEvent(payload: Uint8Array, offset: number, timestamp: string): StoredEvent {
  const text = decoder.decode(payload);
  const end = text.indexOf("\n");
  const head: unknown = end > 0 ? parse(text.slice(0, end)) : null;
  if (!Array.isArray(head)) throw foreign(offset);
  const [type, subject, sizeBytes] = head as readonly unknown[];
  if (typeof type !== "string" || typeof sizeBytes !== "number") throw foreign(offset);
  if (subject !== null && typeof subject !== "string") throw foreign(offset);
  return { offset, type, subject: subject ?? undefined, timestamp, json: text.slice(end + 1), sizeBytes };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no event; the caller says so.
    return null;
  }
}

function foreign(offset: number): StarcastError {
  return new StarcastError(
    "store_corrupt",
    `Expected message ${offset} of the stream to be an event, got something else: nothing but Starcast may publish to its subjects`,
  );
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
