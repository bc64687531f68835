import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { StarcastError, isStarcastError, type ErrorCode } from "@starcast/core";

/** What NATS said, as an error of ours; one that is ours already stays as it is. */
export function toStoreError(error: unknown, doing: string, otherwise: ErrorCode = "store_failed"): StarcastError {
  if (isStarcastError(error)) return error;
  return new StarcastError(codeOf(error) ?? otherwise, `Expected to ${doing}, got ${reasonOf(error)}`, {
    cause: error,
  });
}

/** What JetStream said against a message, by its error code (server/errors.json of nats-server). */
export function refusalOf(code: number, description: string): StarcastError {
  if (wrongSequence.has(code))
    return new StarcastError("stale_claim", `Expected the latest revision, got an earlier one`);
  if (noRoom.has(code))
    return new StarcastError("store_full", `Expected JetStream to have room, got: ${description} (${code})`);
  return new StarcastError("store_failed", `Expected JetStream to take the message, got: ${description} (${code})`);
}

/** True when a stream, consumer or message is not there. */
export function isAbsent(error: unknown): boolean {
  return error instanceof JetStreamApiError && (absent.has(error.code) || error.status === 404);
}

/** True when nobody answers for JetStream: it is switched off, or all its servers are gone. */
export function isWithoutJetStream(error: unknown): boolean {
  // The client does not export its class.
  return error instanceof Error && error.name === "JetStreamNotEnabled";
}

function codeOf(error: unknown): ErrorCode | null {
  if (error instanceof errors.AuthorizationError || error instanceof errors.PermissionViolationError)
    return "not_authorized";
  if (error instanceof errors.UserAuthenticationExpiredError) return "not_authorized";
  if (error instanceof errors.TimeoutError) return "timed_out";
  if (error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError)
    return "store_closed";
  if (error instanceof errors.ConnectionError || error instanceof errors.NoRespondersError) return "connection_failed";
  if (isWithoutJetStream(error)) return "connection_failed";
  if (error instanceof errors.RequestError) return error.isNoResponders() ? "connection_failed" : null;
  if (error instanceof JetStreamApiError && noRoom.has(error.code)) return "store_full";
  return null;
}

function reasonOf(error: unknown): string {
  if (error instanceof JetStreamApiError) return `${error.message} (${error.code})`;
  return error instanceof Error ? error.message : "a failure without a reason";
}

const wrongSequence: ReadonlySet<number> = new Set([10_071, 10_164]);
const noRoom: ReadonlySet<number> = new Set([10_023, 10_028, 10_047, 10_077, 10_122]);
const absent: ReadonlySet<number> = new Set([10_014, 10_037, 10_059]);
