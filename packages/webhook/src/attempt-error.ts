import { StarcastError, type ErrorCode } from "@starcast/core";
import type { FailureCategory } from "./outcome.ts";

/** An attempt that got no answer: what is stored and shown is the category, never the internals in `cause`. */
export class AttemptError extends StarcastError {
  readonly category: FailureCategory;

  constructor(category: FailureCategory, message: string, options?: { readonly cause?: unknown }) {
    super(codeOf(category), message, options);
    this.name = "AttemptError";
    this.category = category;
  }
}

/** The category of whatever ended an attempt: ours, the platform's, or the HTTP client's error. */
export function categoryOf(error: unknown): FailureCategory {
  if (error instanceof AttemptError) return error.category;
  const code = codeText(error);
  if (code === "UND_ERR_HEADERS_OVERFLOW") return "answer_head_too_large";
  // The parser does not give all of its errors a code.
  if (error instanceof Error && error.name === "HTTPParserError") return "invalid_answer";
  if (code.startsWith("UND_ERR_RES_")) return "invalid_answer";
  if (code === "UND_ERR_SOCKET") return /^bad /.test(messageOf(error)) ? "invalid_answer" : "reset";
  if (code === "UND_ERR_INVALID_ARG" || code === "UND_ERR_REQ_CONTENT_LENGTH_MISMATCH") return "request_refused";
  if (code === "UND_ERR_ABORTED" || code === "UND_ERR_DESTROYED" || code === "UND_ERR_CLOSED") return "interrupted";
  return "reset";
}

/** Why a connection was not made: refused and unreachable are the network's doing, the rest is TLS. */
export function connectCategoryOf(error: unknown): FailureCategory {
  if (error instanceof AttemptError) return error.category;
  const code = codeText(error);
  if (code === "ETIMEDOUT") return "connect_timed_out";
  if (networkCodes.has(code)) return "connect_failed";
  // Several addresses failed, each in its own way; Node gives one error that holds them all.
  if (error instanceof AggregateError) return "connect_failed";
  return /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_|EPROTO)/.test(code)
    ? "tls_failed"
    : "connect_failed";
}

const networkCodes: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EACCES",
  "EMFILE",
]);

function codeOf(category: FailureCategory): ErrorCode {
  if (category === "address_refused") return "address_refused";
  return category.endsWith("timed_out") ? "timed_out" : "connection_failed";
}

function codeText(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
