import { InvalidOptionError } from "../errors.ts";
import type { LogEvent } from "../event/log-event.ts";
import type { Encoding } from "./encoding.ts";
import { utf8Bytes } from "./side-by-side.ts";

export interface CloudEventsOptions {
  /** Whose events these are: a URI reference, such as `https://api.example/catalog` or `/catalog` (CloudEvents 1.0, section 3.1). */
  readonly source: string;
}

/** One context attribute: its name, and its value as text (CloudEvents 1.0, section 3). */
export type CloudEventAttribute = readonly [name: string, value: string];

/** The media type of a structured CloudEvent in JSON (JSON format 1.0, section 3). */
export const cloudEventsContentType: string = "application/cloudevents+json; charset=utf-8";

/** Every event as one structured CloudEvent: JSON, without a frame. */
export function cloudEvents(options: CloudEventsOptions): Encoding {
  const source = checkCloudEventsSource(options.source);
  return Object.freeze({
    name: "cloudevents",
    encode: (event: LogEvent) => utf8Bytes(cloudEventText(event, source)),
  });
}

/** The text of a structured CloudEvent; `source` has passed `checkCloudEventsSource`. */
export function cloudEventText(event: LogEvent, source: string): string {
  // Types, ids and times need no escaping; what is left is a URI reference and a subject.
  const subject = event.subject === undefined ? "" : `,"subject":${JSON.stringify(event.subject)}`;
  return `{"specversion":"1.0","id":"${event.id}","source":${JSON.stringify(source)},"type":"${event.type}","time":"${event.timestamp}"${subject},"datacontenttype":"application/json","data":${event.json}}`;
}

/**
 * What a binary CloudEvent carries beside its data, in a fixed order, without prefixes or escaping: HTTP puts `ce-` before
 * the name and percent-encodes the value, MQTT 5 takes both as they are. The data's own type is `application/json`, and
 * goes where the transport says content types.
 */
export function cloudEventAttributes(event: LogEvent, source: string): readonly CloudEventAttribute[] {
  const attributes: CloudEventAttribute[] = [
    ["specversion", "1.0"],
    ["id", event.id],
    ["source", source],
    ["type", event.type],
    ["time", event.timestamp],
  ];
  if (event.subject !== undefined) attributes.push(["subject", event.subject]);
  return attributes;
}

/** The source as it was given; throws `invalid_option` unless it is a URI reference of 1 to 1,024 characters. */
export function checkCloudEventsSource(source: unknown): string {
  if (typeof source === "string" && source.length > 0 && source.length <= 1_024 && uriReference.test(source))
    return source;
  throw new InvalidOptionError({
    option: "source",
    expected: 'a URI reference like "/catalog" or "https://api.example/catalog"',
    received: source,
  });
}

// RFC 3986, section 2: unreserved, reserved, and percent-encoded octets; nothing else may stand in a URI reference.
const uriReference = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;
