/** Every way Starcast says no. Codes are stable for ever: they are metric labels, close reasons and JSON. */
export type ErrorCode =
  // What the caller gave.
  | "invalid_option"
  | "invalid_event_type"
  | "invalid_subject"
  | "invalid_data"
  | "invalid_filter"
  | "invalid_position"
  | "invalid_frame"
  | "event_too_large"
  | "unsupported"
  | "name_taken"
  | "not_found"
  // What the moment does not allow.
  | "overloaded"
  | "broker_closed"
  | "log_closed"
  | "store_closed"
  | "store_full"
  | "store_failed"
  | "store_locked"
  | "store_corrupt"
  | "store_too_new"
  | "lease_lost"
  | "stale_claim"
  | "events_missed"
  | "subscriber_failed"
  | "timed_out"
  | "connection_failed"
  // What another side refused.
  | "not_authorized"
  | "address_refused"
  | "topic_unrenderable"
  | "source_failed";

// Two copies of this package in one process still recognise each other's errors by this.
const brand: unique symbol = Symbol.for("starcast.error");

/** What went wrong, as a stable `code`, and whether trying the same again can help. */
export class StarcastError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "StarcastError";
    this.code = code;
    this.retryable = retryableCodes.has(code);
    Object.defineProperty(this, brand, { value: true });
  }
}

/** An option that cannot be used as it was given. Its message shows the shape of what came, never a secret. */
export class InvalidOptionError extends StarcastError {
  readonly option: string;
  readonly expected: string;
  readonly received: string;

  /** With `isSecret`, of a text nothing but its length is shown. */
  constructor(problem: {
    readonly option: string;
    readonly expected: string;
    readonly received: unknown;
    readonly isSecret?: boolean;
  }) {
    const { received: value, isSecret = false } = problem;
    const received = isSecret && typeof value === "string" ? `a text of ${value.length} characters` : describe(value);
    super("invalid_option", `Expected \`${problem.option}\` to be ${problem.expected}, got ${received}`);
    this.name = "InvalidOptionError";
    this.option = problem.option;
    this.expected = problem.expected;
    this.received = received;
  }
}

/** True for errors of any Starcast package, of any copy of it; with `code`, only for that one. */
export function isStarcastError(value: unknown, code?: ErrorCode): value is StarcastError {
  if (typeof value !== "object" || value === null || !(brand in value)) return false;
  return code === undefined || ("code" in value && value.code === code);
}

/** How a received value is shown in messages: its shape, shortened, so that no payload ends up in a log. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  switch (typeof value) {
    case "string":
      return `\`${JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value)}\` (string)`;
    case "number":
    case "boolean":
    case "bigint":
      return `\`${String(value)}\` (${typeof value})`;
    case "object":
      return Array.isArray(value) ? `an array of ${value.length}` : "an object";
    default:
      return `a ${typeof value}`;
  }
}

const retryableCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "overloaded",
  "store_full",
  "store_failed",
  "store_locked",
  "lease_lost",
  "timed_out",
  "connection_failed",
  "source_failed",
]);
