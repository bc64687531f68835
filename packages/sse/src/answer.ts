import type { Rejected } from "@starcast/core/gateway";
import {
  allowedMethods,
  answerHeaders,
  preflightHeaders,
  streamHeaders,
  type HeaderFields,
} from "./response-headers.ts";

/** A complete HTTP answer that is no stream. */
export interface Answer {
  readonly status: number;
  readonly headers: HeaderFields;
  readonly body: string | null;
}

/** The answer to a method that opens no stream; null for GET and HEAD. Pure. */
export function answerMethod(method: string, cors: HeaderFields, requestedFields: string | null): Answer | null {
  if (method === "GET" || method === "HEAD") return null;
  const headers = { ...cors, Allow: allowedMethods };
  // A preflight from an origin that is not allowed gets no permission, which is the answer browsers understand.
  if (method === "OPTIONS")
    return {
      status: 204,
      headers: mayRead(cors) ? { ...headers, ...preflightHeaders(requestedFields) } : headers,
      body: null,
    };
  return explain(405, "method_not_allowed", `Expected one of ${allowedMethods}`, headers);
}

/**
 * The answer to somebody who is not let in. A client that comes back by itself (it brings the id it saw last) without
 * being authorized any more is told to stay away in the one way the EventSource standard has: 204.
 */
export function answerRejected(rejected: Rejected, cors: HeaderFields, isReturning: boolean): Answer {
  const { status, code, message } = rejected;
  if ((code === "not_authorized" || code === "revoked") && isReturning)
    return { status: 204, headers: { ...cors, "Cache-Control": "no-store" }, body: null };
  return explain(status, code, message, { ...cors, ...rejected.headers });
}

/** What HEAD gets: the head that GET would. */
export function answerHead(cors: HeaderFields): Answer {
  return { status: 200, headers: { ...streamHeaders, ...cors }, body: null };
}

/** When something broke that is nobody's request's fault. */
export function answerFailed(): Answer {
  return explain(500, "failed", "The request could not be answered", {});
}

function explain(status: number, code: string, message: string, headers: HeaderFields): Answer {
  return { status, headers: { ...answerHeaders, ...headers }, body: `${JSON.stringify({ code, message })}\n` };
}

function mayRead(cors: HeaderFields): boolean {
  return "Access-Control-Allow-Origin" in cors;
}
