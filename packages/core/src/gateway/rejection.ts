/** Why somebody was not let in; stable, as they are metric labels and JSON. */
export type RejectionCode =
  | "bad_request"
  | "host_refused"
  | "origin_refused"
  | "not_authorized"
  | "revoked"
  | "authorize_failed"
  | "authorize_timed_out"
  | "invalid_filter"
  | "too_many_connections"
  | "too_many_from_address"
  | "too_many_of_identity"
  | "too_many_new"
  | "overloaded"
  | "draining";

/** Who was not let in, as an HTTP answer. `message` tells a developer what to do and may be the body. */
export interface Rejected {
  readonly kind: "rejected";
  readonly status: number;
  readonly code: RejectionCode;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The HTTP answer to a code; who may come back is told when. Pure. */
export function reject(code: RejectionCode, message?: string): Rejected {
  const { status, says, headers } = table[code];
  return { kind: "rejected", status, code, message: message ?? says, headers: headers ?? none };
}

interface Answer {
  readonly status: number;
  readonly says: string;
  readonly headers?: Readonly<Record<string, string>>;
}

// Seconds after which another try can succeed.
function retryAfter(seconds: number): Readonly<Record<string, string>> {
  return { "retry-after": String(seconds) };
}

const table: Readonly<Record<RejectionCode, Answer>> = {
  bad_request: { status: 400, says: "Expected a well-formed request" },
  host_refused: { status: 403, says: "Expected a Host that may be asked" },
  origin_refused: { status: 403, says: "Expected an Origin that may read this stream" },
  not_authorized: {
    status: 401,
    says: "Expected credentials that are granted something",
    headers: { "www-authenticate": "Bearer" },
  },
  revoked: { status: 403, says: "The grant was taken back while it was judged" },
  authorize_failed: { status: 500, says: "The request could not be judged" },
  authorize_timed_out: { status: 503, says: "The request could not be judged in time", headers: retryAfter(5) },
  invalid_filter: { status: 400, says: "Expected well-formed `types` and `subjects`" },
  too_many_connections: {
    status: 503,
    says: "Expected a free connection (`connections.maxConnections`), got none",
    headers: retryAfter(10),
  },
  too_many_from_address: {
    status: 429,
    says: "Expected fewer connections from this address (`connections.maxPerAddress`)",
    headers: retryAfter(30),
  },
  too_many_of_identity: {
    status: 429,
    says: "Expected fewer connections of this identity (`connections.maxPerIdentity`)",
    headers: retryAfter(30),
  },
  too_many_new: {
    status: 503,
    says: "Expected fewer new connections per second (`connections.maxNewPerSecond`)",
    headers: retryAfter(1),
  },
  overloaded: { status: 503, says: "Expected room for another subscriber", headers: retryAfter(10) },
  draining: {
    status: 503,
    says: "This server is about to stop; another one, or this one restarted, takes over",
    headers: retryAfter(5),
  },
};

const none: Readonly<Record<string, string>> = Object.freeze({});
