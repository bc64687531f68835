import type { ClientOperation } from "@starcast/core/wire";

/** What a client said: an operation, or what is answered instead of doing one. */
export type ClientMessage =
  | { readonly kind: "operation"; readonly operation: ClientOperation }
  | { readonly kind: "refused"; readonly op: string; readonly code: "invalid_message" | "unknown_operation" };

/** Reads one text message; its size is bounded where it came in. Patterns are checked where a filter is compiled. Pure, never throws. */
export function readClientMessage(text: string): ClientMessage {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    // The client is told; what it sent may be anything.
    return refused(null, "invalid_message");
  }
  if (typeof message !== "object" || message === null || Array.isArray(message))
    return refused(null, "invalid_message");
  const fields: Readonly<Record<string, unknown>> = { ...message };
  const { op } = fields;
  if (op === "subscribe") return readSubscribe(fields);
  if (op === "token") return readToken(fields);
  return refused(op, typeof op === "string" ? "unknown_operation" : "invalid_message");
}

function readSubscribe({ op: _, types, subjects, after, ...rest }: Readonly<Record<string, unknown>>): ClientMessage {
  const isAfter = after === undefined || typeof after === "string";
  // A misspelled field would widen the filter to everything.
  const isKnown = Object.keys(rest).length === 0;
  if (!isTexts(types) || !isTexts(subjects) || !isAfter || !isKnown) return refused("subscribe", "invalid_message");
  return { kind: "operation", operation: { op: "subscribe", types, subjects, after } };
}

function readToken({ token }: Readonly<Record<string, unknown>>): ClientMessage {
  if (typeof token !== "string" || token === "") return refused("token", "invalid_message");
  return { kind: "operation", operation: { op: "token", token } };
}

function isTexts(value: unknown): value is readonly string[] | undefined {
  return value === undefined || (Array.isArray(value) && value.every((each) => typeof each === "string"));
}

// What comes back was sent by the client: only a plain word of it.
function refused(op: unknown, code: "invalid_message" | "unknown_operation"): ClientMessage {
  return { kind: "refused", op: typeof op === "string" && /^[a-z_]{1,32}$/.test(op) ? op : "unknown", code };
}
