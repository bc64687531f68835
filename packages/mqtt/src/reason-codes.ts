import { StarcastError, type ErrorCode } from "@starcast/core";

/**
 * What to do after a refusal:
 * - `retry`: the same again, after the usual back-off
 * - `wait`: the same again, but not soon; trying at once makes it worse
 * - `credentials`: nothing, until the credentials are others
 * - `version`: speak MQTT 3.1.1
 * - `drop`: this publication will never be taken; others may
 */
export type Remedy = "retry" | "wait" | "credentials" | "version" | "drop";

/** A refusal by the MQTT broker: its reason code, what it means, and what can be done. */
export class MqttReasonError extends StarcastError {
  readonly reasonCode: number;
  readonly remedy: Remedy;

  constructor(what: string, reasonCode: number, reason: Reason, advice: string) {
    super(
      reason.code,
      `Expected the MQTT broker to ${what}, got reason code 0x${reasonCode.toString(16).padStart(2, "0")} (${reason.name}): ${advice}`,
    );
    this.name = "MqttReasonError";
    this.reasonCode = reasonCode;
    this.remedy = reason.remedy;
  }
}

/** The error for the CONNACK or DISCONNECT code of an MQTT 5 connection, or the return code of a 3.1.1 one. */
export function connectionRefused(reasonCode: number): MqttReasonError {
  const reason = reasons.get(fromVersion3.get(reasonCode) ?? reasonCode) ?? unknownReason;
  return new MqttReasonError("keep the connection", reasonCode, reason, reason.advice);
}

/** The error for the reason code of a PUBACK, PUBREC or PUBCOMP (MQTT 5, section 3.4.2.1). */
export function publicationRefused(reasonCode: number): MqttReasonError {
  const reason = reasons.get(reasonCode) ?? unknownReason;
  if (refusedForEver.has(reasonCode))
    return new MqttReasonError("take a publication", reasonCode, { ...reason, remedy: "drop" }, reason.advice);
  // What is refused only now is kept and offered again; who is not allowed to publish does not help himself by hurrying.
  if (reasonCode !== 0x87)
    return new MqttReasonError("take a publication", reasonCode, { ...reason, remedy: "retry" }, reason.advice);
  return new MqttReasonError(
    "take a publication",
    reasonCode,
    { ...reason, remedy: "wait" },
    "allow this client to publish to the topics of its template",
  );
}

/**
 * The error for an acknowledgement whose reason code MQTT 5 does not allow there, so that nothing after it can be read.
 * Mosquitto answers publications above its `message_size_limit` so, with 0x95; it is about the oldest one in flight, as
 * acknowledgements come in order (MQTT 5, section 4.6).
 */
export function unreadableRefusal(): MqttReasonError {
  return new MqttReasonError(
    "take a publication",
    0x95,
    { name: "or another that is not allowed there", code: "event_too_large", remedy: "drop", advice: "" },
    "publish smaller events, or raise the MQTT broker's limit",
  );
}

interface Reason {
  readonly name: string;
  readonly code: ErrorCode;
  readonly remedy: Remedy;
  readonly advice: string;
}

const reasons: ReadonlyMap<number, Reason> = new Map([
  [0x80, reason("unspecified error", "connection_failed", "retry", "look into the MQTT broker's own log")],
  [0x81, reason("malformed packet", "connection_failed", "wait", "look into the MQTT broker's own log")],
  [0x82, reason("protocol error", "connection_failed", "wait", "look into the MQTT broker's own log")],
  [0x83, reason("implementation specific error", "connection_failed", "retry", "look into the MQTT broker's own log")],
  [
    0x84,
    reason(
      "unsupported protocol version",
      "unsupported",
      "version",
      "set `connection.protocol` to one the MQTT broker speaks",
    ),
  ],
  [
    0x85,
    reason(
      "client identifier not valid",
      "not_authorized",
      "wait",
      "set `connection.clientId` to one the MQTT broker allows",
    ),
  ],
  [0x86, reason("bad user name or password", "not_authorized", "credentials", "correct `credentials`")],
  [0x87, reason("not authorized", "not_authorized", "credentials", "correct `credentials`, or what they allow")],
  [0x88, reason("server unavailable", "connection_failed", "retry", "it is tried again")],
  [0x89, reason("server busy", "overloaded", "retry", "it is tried again")],
  [0x8a, reason("banned", "not_authorized", "credentials", "ask whoever runs the MQTT broker")],
  [0x8b, reason("server shutting down", "connection_failed", "retry", "it is tried again")],
  [
    0x8c,
    reason(
      "bad authentication method",
      "not_authorized",
      "credentials",
      "use a user name and a password, or a client certificate",
    ),
  ],
  [0x8d, reason("keep alive timeout", "timed_out", "retry", "it is tried again")],
  [
    0x8e,
    reason(
      "session taken over",
      "name_taken",
      "wait",
      "two publishers share one `connection.clientId`: give each its own",
    ),
  ],
  [0x90, reason("topic name invalid", "topic_unrenderable", "wait", "choose a `topic` the MQTT broker allows")],
  [0x93, reason("receive maximum exceeded", "overloaded", "retry", "lower `maxInFlight`")],
  [0x94, reason("topic alias invalid", "unsupported", "wait", "set `connection.topicAliases` to false")],
  [
    0x95,
    reason("packet too large", "event_too_large", "wait", "publish smaller events, or raise the MQTT broker's limit"),
  ],
  [0x96, reason("message rate too high", "overloaded", "wait", "lower `maxEventsPerSecond`")],
  [
    0x97,
    reason("quota exceeded", "overloaded", "wait", "raise the MQTT broker's quota, or lower `maxEventsPerSecond`"),
  ],
  [0x98, reason("administrative action", "connection_failed", "wait", "ask whoever runs the MQTT broker")],
  [0x99, reason("payload format invalid", "invalid_data", "wait", "choose a `payload` the MQTT broker allows")],
  [0x9a, reason("retain not supported", "unsupported", "wait", "switch `retain`, `state` and `status` off")],
  [0x9b, reason("quality of service not supported", "unsupported", "wait", "lower `qos`")],
  [0x9c, reason("use another server", "connection_failed", "wait", "change `url`")],
  [0x9d, reason("server moved", "connection_failed", "wait", "change `url`")],
  [0x9f, reason("connection rate exceeded", "overloaded", "wait", "it is tried again, later")],
  [0xa0, reason("maximum connect time", "connection_failed", "retry", "it is tried again")],
]);

const unknownReason: Reason = reason(
  "unknown to this version",
  "connection_failed",
  "retry",
  "look into the MQTT broker's own log",
);

// MQTT 3.1.1, section 3.2.2.3.
const fromVersion3: ReadonlyMap<number, number> = new Map([
  [1, 0x84],
  [2, 0x85],
  [3, 0x88],
  [4, 0x86],
  [5, 0x87],
]);

/** About the publication itself: the topic, its size, its payload. Everything else may pass. */
const refusedForEver: ReadonlySet<number> = new Set([0x90, 0x95, 0x99]);

function reason(name: string, code: ErrorCode, remedy: Remedy, advice: string): Reason {
  return { name, code, remedy, advice };
}
