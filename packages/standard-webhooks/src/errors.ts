/** Every way this package says no. Codes are stable for ever: they stand in answers, metrics and JSON. */
export type WebhookErrorCode =
  // What the caller gave.
  | "invalid_option"
  | "invalid_key"
  | "invalid_id"
  | "no_active_key"
  // What the sender sent.
  | "missing_header"
  | "malformed_header"
  | "timestamp_too_old"
  | "timestamp_too_new"
  | "no_matching_key"
  | "replayed"
  | "malformed_body"
  | "method_not_allowed"
  | "body_too_large"
  | "body_timed_out"
  | "body_aborted"
  // What the receiver's own house did.
  | "body_already_parsed"
  | "handler_failed"
  | "seen_ids_failed";

// The brand of every Starcast package, so that `isStarcastError` of the core knows these errors too.
const brand = Symbol.for("starcast.error");

/** Which check said no, as a stable `code`, and whether trying the same again can help. */
export class WebhookError extends Error {
  readonly code: WebhookErrorCode;
  readonly retryable: boolean;

  static {
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  constructor(code: WebhookErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "WebhookError";
    this.code = code;
    this.retryable = retryableCodes.has(code);
  }
}

/** True for errors of this package, of any copy of it; with `code`, only for that one. */
export function isWebhookError(value: unknown, code?: WebhookErrorCode): value is WebhookError {
  if (typeof value !== "object" || value === null || !(brand in value)) return false;
  if (!("name" in value) || value.name !== "WebhookError" || !("code" in value)) return false;
  return code === undefined || value.code === code;
}

/** An option that cannot be used as it was given; shows the shape of what came, never a text that may be a key. */
export function invalidOption(option: string, expected: string, received: unknown): WebhookError {
  return new WebhookError("invalid_option", `Expected \`${option}\` to be ${expected}, got ${shapeOf(received)}`);
}

/** A value as messages may show it: numbers as they are, everything else only by kind and size. */
export function shapeOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  switch (typeof value) {
    case "string":
      return `a string of ${value.length} characters`;
    case "number":
    case "boolean":
    case "bigint":
      return `\`${String(value)}\` (${typeof value})`;
    case "object":
      if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
      return Array.isArray(value) ? `an array of ${value.length}` : "an object";
    default:
      return `a ${typeof value}`;
  }
}

const retryableCodes: ReadonlySet<WebhookErrorCode> = new Set<WebhookErrorCode>([
  "body_timed_out",
  "body_aborted",
  "handler_failed",
  "seen_ids_failed",
]);
