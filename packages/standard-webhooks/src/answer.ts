import { isWebhookError, type WebhookErrorCode } from "./errors.ts";

/** An HTTP answer, before a runtime gives it its form. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Taken and handled: 204, as short as success can be said. */
export const accepted: Answer = Object.freeze({ status: 204, headers: Object.freeze({}), body: "" });

/** How an error is answered. What this side did wrong stays on this side: the sender learns a code, and comes again. */
export function answerTo(error: unknown): Answer {
  const code = isWebhookError(error) ? error.code : "handler_failed";
  const status = statuses[code];
  const message =
    isWebhookError(error) && (status < 500 || code === "body_already_parsed") ? error.message : "The receiver failed";
  return {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      // What is left of the body is not read, so the connection cannot carry another request.
      ...(unread.has(code) && { connection: "close" }),
      ...(status === 405 && { allow: "POST" }),
    },
    body: JSON.stringify({ error: { code, message } }),
  };
}

const statuses: Readonly<Record<WebhookErrorCode, number>> = {
  missing_header: 400,
  malformed_header: 400,
  timestamp_too_old: 400,
  timestamp_too_new: 400,
  no_matching_key: 400,
  replayed: 400,
  malformed_body: 400,
  body_aborted: 400,
  method_not_allowed: 405,
  body_timed_out: 408,
  body_too_large: 413,
  body_already_parsed: 500,
  handler_failed: 500,
  seen_ids_failed: 500,
  invalid_option: 500,
  invalid_key: 500,
  invalid_id: 500,
  no_active_key: 500,
};

const unread: ReadonlySet<WebhookErrorCode> = new Set<WebhookErrorCode>([
  "method_not_allowed",
  "body_timed_out",
  "body_too_large",
]);
