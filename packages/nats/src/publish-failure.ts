import { StarcastError } from "@starcast/core";

export function closed(): StarcastError {
  return new StarcastError("log_closed", "Expected an open log, got one that was closed");
}

export function away(): StarcastError {
  return new StarcastError(
    "connection_failed",
    "Expected a connection to NATS, got none: it is tried again all the time",
  );
}

export function overloaded(maxWaiting: number): StarcastError {
  return new StarcastError("overloaded", `Expected at most ${maxWaiting} messages that wait for NATS, got more`);
}

export function timedOut(): StarcastError {
  return new StarcastError(
    "timed_out",
    "Expected JetStream to acknowledge in time, got nothing: it may or may not have the event; publish again with the same dedupeKey",
  );
}

export function noRoom(maxInFlight: number): StarcastError {
  return new StarcastError(
    "timed_out",
    `Expected JetStream to acknowledge some of the ${maxInFlight} messages on their way in time, got nothing: this one was not sent`,
  );
}

export function unknownOutcome(): StarcastError {
  return new StarcastError(
    "store_failed",
    "Expected an acknowledgement, got a lost connection or another leader: JetStream may or may not have the event; publish again with the same dedupeKey",
  );
}

export function tooLarge(bytes: number, maxBytes: number): StarcastError {
  return new StarcastError(
    "event_too_large",
    `Expected at most ${maxBytes} bytes, as NATS takes (max_payload), got ${bytes}: raise max_payload of the server`,
  );
}

export function noLeader(): StarcastError {
  return new StarcastError(
    "connection_failed",
    "Expected JetStream to answer, got nobody there: the stream has no leader, or is gone",
  );
}

export function forbidden(subject: string): StarcastError {
  return new StarcastError(
    "not_authorized",
    `Expected to be allowed to publish to \`${subject}\`, got a violation of the permissions this user has in NATS`,
  );
}
