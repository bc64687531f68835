import type { EventDraft, StoredEvent } from "@starcast/core";
import type { TimeText } from "./time-text.ts";

/**
 * An event as the payload of a message: a line of JSON with what is said of it, then its data as it was published. When it
 * was published, in milliseconds, is said by who publishes: an acknowledgement does not say when the stream took it.
 */
export function encodeEvent({ type, subject, json, sizeBytes }: EventDraft, at: number): string {
  // Only the subject can need escaping: types are of safe characters.
  const about = subject === undefined ? "null" : JSON.stringify(subject);
  return `["${type}",${about},${sizeBytes},${at}]\n${json}`;
}

/** Null for a payload that Starcast did not write: whoever may publish to the stream's subject may write anything there. */
export function decodeEvent(payload: Uint8Array, offset: number, time: TimeText): StoredEvent | null {
  const text = decoder.decode(payload);
  const end = text.indexOf("\n");
  const head: unknown = end > 0 ? parse(text.slice(0, end)) : null;
  if (!Array.isArray(head)) return null;
  const [type, subject, sizeBytes, at] = head as readonly unknown[];
  if (typeof type !== "string" || typeof sizeBytes !== "number" || !isTime(at)) return null;
  if (subject !== null && typeof subject !== "string") return null;
  const timestamp = time.of(at);
  return { offset, type, subject: subject ?? undefined, timestamp, json: text.slice(end + 1), sizeBytes };
}

function isTime(at: unknown): at is number {
  return Number.isInteger(at) && (at as number) >= 0 && (at as number) <= maxTime;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no event; the caller says so.
    return null;
  }
}

/** The end of the year 9999: RFC 3339 has no later one. */
const maxTime = 253_402_300_799_999;
const decoder = new TextDecoder();
