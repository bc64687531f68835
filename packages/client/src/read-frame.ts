import type { ClientFrame, EventFrame } from "@starcast/core/wire";
import { readPlace } from "./place.ts";

export type KnownFrame = EventFrame | ClientFrame;

/** Longest frame that is looked at, in characters: far above what a gateway sends by default, far below what hurts. */
export const maxFrameLength = 16_777_216;

/**
 * Reads one frame: null is one of a later version, to be passed over. Throws for what no gateway sends: every field that
 * a client acts on is looked at, by less code than core's `parseFrame`, which looks at all of them. Pure.
 */
export function readFrame(text: string): KnownFrame | null {
  if (text.length > maxFrameLength) throw new RangeError("too long");
  // What is none of these throws in the next lines, or is refused by them.
  const frame = JSON.parse(text) as {
    readonly [field in "id" | "timestamp" | "subject"]?: unknown;
  } & { readonly type: string; readonly data: Readonly<Record<string, unknown>> };
  const { type, timestamp, subject = "", data } = frame;
  const isOurs = type.startsWith("client.");
  let isWhole = typeof timestamp === "string" && data !== undefined;
  if (!isOurs) isWhole &&= isPosition(frame.id) && typeof subject === "string";
  else if (type === "client.connected") isWhole &&= isPosition(data["position"]) && isDuration(data["heartbeatMs"]);
  else if (type === "client.heartbeat") isWhole &&= isPosition(data["position"]);
  else if (type === "client.gap")
    isWhole &&= isPosition(data["through"]) && (data["after"] === null || isPosition(data["after"]));
  else if (type === "client.closing") isWhole &&= data["reconnectInMs"] === null || isDuration(data["reconnectInMs"]);
  else if (/\.(subscribed|refused)$/.test(type)) isWhole &&= data !== null;
  else return null;
  if (!isWhole) throw new TypeError("not a frame");
  return frame as KnownFrame;
}

function isPosition(value: unknown): boolean {
  return readPlace(value) !== null;
}

function isDuration(value: unknown): boolean {
  return typeof value === "number" && value >= 0;
}
