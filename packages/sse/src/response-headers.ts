import { contentType } from "./event-stream.ts";

export type HeaderFields = Readonly<Record<string, string>>;

/** The head of every stream, and what each field tames on the way. */
export const streamHeaders: HeaderFields = Object.freeze({
  "Content-Type": contentType,
  // Caches and service workers: a stream is never an answer to anybody else. `no-transform` keeps compressing middleware
  // and proxies (compression, Cloudflare, mobile carriers) from holding bytes back until a block is full.
  "Cache-Control": "no-store, no-transform",
  // nginx, and what is built on it: `proxy_buffering` is on by default, and would collect 4-8 KiB first.
  "X-Accel-Buffering": "no",
  // Browsers that guess types would read a refused stream as a page.
  "X-Content-Type-Options": "nosniff",
});

/** The head of an answer that is no stream. */
export const answerHeaders: HeaderFields = Object.freeze({
  "Content-Type": "application/json",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
});

/** What this gateway answers to, for OPTIONS and 405. */
export const allowedMethods = "GET, HEAD, OPTIONS";

/**
 * Lets a page of another origin read the answer, with its cookies. `Vary` keeps shared caches from giving one origin's
 * answer to another, and stands there for refused origins too.
 */
export function corsHeaders(origin: string | null, isAllowed: boolean): HeaderFields {
  if (origin === null || !isAllowed) return varyOnly;
  return {
    "Access-Control-Allow-Origin": origin,
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "Retry-After",
    Vary: "Origin",
  };
}

/** The further head of the answer to a preflight (Fetch, 3.3): GET with the header fields the page asked for. */
export function preflightHeaders(requestedFields: string | null): HeaderFields {
  const isSafe = requestedFields !== null && fieldNames.test(requestedFields);
  return {
    "Access-Control-Allow-Methods": "GET, HEAD",
    // Which fields carry a token is between the page and `authorize`; a wildcard would not cover Authorization.
    "Access-Control-Allow-Headers": isSafe ? requestedFields : "authorization, last-event-id",
    "Access-Control-Max-Age": "600",
  };
}

const varyOnly: HeaderFields = Object.freeze({ Vary: "Origin" });

// A list of tokens (RFC 9110, 5.6.2), bounded: nothing else of a request comes back in a head.
const fieldNames = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}(?:, ?[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}){0,31}$/;
