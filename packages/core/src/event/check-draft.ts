import { StarcastError, describe } from "../errors.ts";

/** Longest event type, in characters. */
export const maxTypeLength = 128;

/** Longest subject, in characters: it becomes one MQTT level, percent-escaped, of a topic of at most 65,535 bytes. */
export const maxSubjectLength = 1_024;

/** Longest dedupe key, in characters. */
export const maxDedupeKeyLength = 256;

/** Throws `invalid_event_type` unless `type` can be published: two or more segments of [A-Za-z0-9_-], not `client.*`. */
export function checkType(type: unknown): asserts type is string {
  if (typeof type === "string" && knownTypes.has(type)) return;
  if (typeof type !== "string" || type.length > maxTypeLength || !typePattern.test(type)) {
    throw new StarcastError(
      "invalid_event_type",
      `Expected an event type like "model.added" (two or more dotted segments of A-Z, a-z, 0-9, _ or -, at most ${maxTypeLength} characters), got ${describe(type)}`,
    );
  }
  if (type.startsWith("client.")) {
    throw new StarcastError(
      "invalid_event_type",
      `Expected an event type outside \`client.*\`, which transports use themselves, got ${describe(type)}`,
    );
  }
  if (knownTypes.size >= maxKnownTypes) knownTypes.clear();
  knownTypes.add(type);
}

/** Throws `invalid_subject` unless it is absent, or 1 to 1,024 characters of well-formed text without control characters. */
export function checkSubject(subject: unknown): asserts subject is string | undefined {
  if (subject === undefined) return;
  if (typeof subject === "string" && subject.length > 0 && subject.length <= maxSubjectLength && isPlainText(subject))
    return;
  throw new StarcastError(
    "invalid_subject",
    `Expected a subject of 1 to ${maxSubjectLength} characters without control characters or lone surrogates, got ${describe(subject)}`,
  );
}

/** Throws `invalid_option` unless it is absent, or 1 to 256 characters of well-formed text. */
export function checkDedupeKey(key: unknown): asserts key is string | undefined {
  if (key === undefined) return;
  // What is not well-formed cannot be sent to an engine elsewhere.
  if (typeof key === "string" && key.length > 0 && key.length <= maxDedupeKeyLength && !loneSurrogate.test(key)) return;
  throw new StarcastError(
    "invalid_option",
    `Expected \`dedupeKey\` to be 1 to ${maxDedupeKeyLength} characters without lone surrogates, got ${describe(key)}`,
  );
}

/** Throws `event_too_large` when the encoded event is above the limit. */
export function checkSize(type: string, sizeBytes: number, maxEventBytes: number): void {
  if (sizeBytes <= maxEventBytes) return;
  throw new StarcastError(
    "event_too_large",
    `Expected an event \`${type}\` of at most ${maxEventBytes} bytes (maxEventBytes), got ${sizeBytes}: publish a reference instead, or raise the limit`,
  );
}

const typePattern = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/;

// Services publish a handful of types; remembering those that passed is 5x cheaper than the pattern. Bounded, since a
// publisher may make types up.
const knownTypes = new Set<string>();
const maxKnownTypes = 1_000;

// eslint-disable-next-line no-control-regex -- the control characters are what is refused
const controlCharacters = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const loneSurrogate = /\p{Surrogate}/u;

function isPlainText(text: string): boolean {
  return !controlCharacters.test(text) && !loneSurrogate.test(text);
}
