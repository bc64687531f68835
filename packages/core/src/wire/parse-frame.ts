import { clientPrefix, type ClientFrame, type ClientFrameType, type EventFrame } from "./frames.ts";

/** What a text from a gateway is. `unknown` frames are of a later version and may be passed over; `rejected` ones are nobody's. */
export type ParsedFrame =
  | { readonly kind: "event"; readonly frame: EventFrame }
  | { readonly kind: "client"; readonly frame: ClientFrame }
  | { readonly kind: "unknown"; readonly type: string }
  | { readonly kind: "rejected"; readonly reason: FrameFault };

export type FrameFault = "too_large" | "not_json" | "not_a_frame";

/** Longest frame that is looked at, in characters: far above what a gateway sends by default, far below what hurts. */
export const maxFrameLength = 16_777_216;

/** Reads one frame; never throws. What it accepts has exactly the shapes of `frames.ts`, whatever else is in it. */
export function parseFrame(text: string, maxLength: number = maxFrameLength): ParsedFrame {
  if (text.length > maxLength) return rejected("too_large");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What it was is said by the reason; the text may be anything.
    return rejected("not_json");
  }
  return readFrame(value);
}

/** The same for a value that is parsed already. */
export function readFrame(value: unknown): ParsedFrame {
  if (!isRecord(value)) return rejected("not_a_frame");
  const { id, type, timestamp, subject, data } = value;
  if (typeof type !== "string" || typeof timestamp !== "string") return rejected("not_a_frame");
  if (type.startsWith(clientPrefix)) return readClientFrame(type, timestamp, data);
  const isSubject = subject === undefined || typeof subject === "string";
  if (typeof id !== "string" || !positionPattern.test(id) || !isSubject || !("data" in value))
    return rejected("not_a_frame");
  return {
    kind: "event",
    frame: subject === undefined ? { id, type, timestamp, data } : { id, type, timestamp, subject, data },
  };
}

function readClientFrame(type: string, timestamp: string, data: unknown): ParsedFrame {
  if (!isClientFrameType(type)) return { kind: "unknown", type };
  if (!isRecord(data) || !Object.entries(shapes[type]).every(([field, isField]) => isField(data[field])))
    return rejected("not_a_frame");
  // Every field of the shape was just looked at.
  return { kind: "client", frame: { type, timestamp, data } as unknown as ClientFrame };
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string" && value.length <= 256;
const isFlag: Check = (value) => typeof value === "boolean";
const isDuration: Check = (value) => typeof value === "number" && value >= 0 && Number.isFinite(value);
const isPosition: Check = (value) => typeof value === "string" && positionPattern.test(value);
const isState: Check = (value) => value === undefined || isText(value);
const isPositionOrNull: Check = (value) => value === null || isPosition(value);
const isPatternsOrNull: Check = (value) =>
  value === null || (Array.isArray(value) && value.every((pattern) => typeof pattern === "string"));

const shapes: Readonly<Record<ClientFrameType, Readonly<Record<string, Check>>>> = {
  "client.connected": {
    clientId: isText,
    position: isPosition,
    resumed: isFlag,
    heartbeatMs: isDuration,
    state: isState,
  },
  "client.gap": { after: isPositionOrNull, through: isPosition, reason: isText },
  "client.heartbeat": { position: isPosition, state: isState },
  "client.subscribed": { types: isPatternsOrNull, subjects: isPatternsOrNull, position: isPosition },
  "client.refused": { op: isText, code: isText },
  "client.closing": { reason: isText, reconnectInMs: (value) => value === null || isDuration(value) },
};

const positionPattern = /^[A-Za-z0-9]{1,40}-(?:0|[1-9][0-9]{0,15})$/;

function isClientFrameType(type: string): type is ClientFrameType {
  return Object.hasOwn(shapes, type);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function rejected(reason: FrameFault): ParsedFrame {
  return { kind: "rejected", reason };
}
