import { parsePosition, StarcastError, type AnyVocabulary, type Event, type Gap, type GapReason } from "@starcast/core";
import { readFrame, type EventFrame } from "@starcast/core/wire";

/** What a message of an event or status topic is. */
export type ReadMessage =
  | { readonly kind: "event"; readonly event: Event }
  | { readonly kind: "gap"; readonly gap: Gap }
  | { readonly kind: "nothing" }
  | { readonly kind: "unreadable"; readonly error: StarcastError };

/** Largest message that is looked at, in bytes: far above what a publisher sends by default. */
export const maxMessageBytes = 16_777_216;

/** Reads one message, an envelope or a structured CloudEvent; never throws. */
export function readMessage(payload: Uint8Array, vocabulary: AnyVocabulary | null): ReadMessage {
  // Tombstones, and the last word of a retained topic.
  if (payload.length === 0) return { kind: "nothing" };
  if (payload.length > maxMessageBytes) return unreadable(`at most ${maxMessageBytes} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(payload));
  } catch (cause) {
    return unreadable("JSON", cause);
  }
  const parsed = readFrame(fromCloudEvent(value));
  switch (parsed.kind) {
    case "event":
      return checked(parsed.frame, vocabulary);
    case "client":
      return parsed.frame.type === "client.gap" ? gapOf(parsed.frame.data) : { kind: "nothing" };
    case "unknown":
      return { kind: "nothing" };
    case "rejected":
      return unreadable("an event's envelope, or a structured CloudEvent");
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function checked(frame: EventFrame, vocabulary: AnyVocabulary | null): ReadMessage {
  if (vocabulary === null) return { kind: "event", event: frame };
  if (!vocabulary.has(frame.type))
    return unreadable(`an event of the vocabulary, got \`${frame.type.slice(0, 128)}\`,`);
  try {
    return { kind: "event", event: { ...frame, data: vocabulary.validate(frame.type, frame.data) } };
  } catch (cause) {
    return unreadable(`data that passes the validator of \`${frame.type}\``, cause);
  }
}

function gapOf({
  after,
  through,
  reason,
}: {
  readonly after: string | null;
  readonly through: string;
  readonly reason: string;
}): ReadMessage {
  const end = parsePosition(through);
  if (end === null) return unreadable("a gap with an end");
  const known = gapReasons.find((each) => each === reason) ?? "unknown";
  return { kind: "gap", gap: { after: after === null ? null : parsePosition(after), through: end, reason: known } };
}

const gapReasons: readonly GapReason[] = ["trimmed", "epoch", "unknown", "replay_limit"];

// CloudEvents JSON format 1.0: the same facts by other names.
function fromCloudEvent(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("specversion" in value) || !("time" in value)) return value;
  const { time, ...rest } = value;
  return { ...rest, timestamp: time };
}

function unreadable(expected: string, cause?: unknown): ReadMessage {
  const message = `Expected a message to be ${expected}, got something else`;
  return { kind: "unreadable", error: new StarcastError("invalid_frame", message, { cause }) };
}
