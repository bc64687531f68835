/** The codes of `StarcastError` that a client gives. */
export type ClientErrorCode = "invalid_option" | "unsupported" | "not_authorized" | "connection_failed" | "overloaded";

/** What went wrong, as a stable `code`; core's `isStarcastError` knows it, without the client carrying core. */
export class ClientError extends Error {
  readonly code: ClientErrorCode;
  readonly retryable: boolean;

  constructor(code: ClientErrorCode, message: string) {
    super(message);
    this.name = "StarcastError";
    this.code = code;
    this.retryable = code === "connection_failed" || code === "overloaded";
    Object.defineProperty(this, Symbol.for("starcast.error"), { value: true });
  }
}

/** An option that cannot be used as it was given; shows the shape of what came, never a value that may be secret. */
export function invalidOption(option: string, expected: string, received: unknown): ClientError {
  const shape = received === null ? "null" : Array.isArray(received) ? "a list" : typeof received;
  return new ClientError("invalid_option", `Expected \`${option}\` to be ${expected}, got ${shape}`);
}
