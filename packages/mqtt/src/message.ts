import { StarcastError } from "@starcast/core";
import type { Qos } from "./options.ts";

/** What MQTT 5 says beside the payload; 3.1.1 leaves it out. */
export interface MessageProperties {
  readonly messageExpiryInterval?: number;
  readonly contentType?: string;
  /** Names and texts in order. */
  readonly userProperties?: Readonly<Record<string, string>>;
}

/** One publication, ready to be sent. */
export interface Message {
  readonly topic: string;
  /** A text: it becomes bytes where they are written. Empty clears a retained topic. */
  readonly payload: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly properties?: MessageProperties | undefined;
}

/** More no packet can be (MQTT 5, section 1.5.5): its length is told in four bytes of seven bits. */
export const mqttPacketBytes = 268_435_460;

/** True when the packet cannot be above the limit: known at once for almost every one. */
export function isSurelyWithin(bytes: number, { topic, payload, properties }: Message): boolean {
  return properties === undefined && 3 * (topic.length + payload.length) + 15 <= bytes;
}

/**
 * No less than the bytes of the PUBLISH packet (MQTT 5, section 3.3), for comparison with the MQTT broker's limit: five for
 * the fixed header, two each for lengths and the packet identifier, and what the properties need.
 */
export function packetBytesAtMost({ topic, payload, properties }: Message): number {
  let bytes = 5 + 2 + Buffer.byteLength(topic) + 2 + 4 + Buffer.byteLength(payload);
  if (properties === undefined) return bytes;
  if (properties.messageExpiryInterval !== undefined) bytes += 5;
  if (properties.contentType !== undefined) bytes += 3 + Buffer.byteLength(properties.contentType);
  for (const [name, value] of Object.entries(properties.userProperties ?? {}))
    bytes += 5 + Buffer.byteLength(name) + Buffer.byteLength(value);
  return bytes;
}

/** The refusal of a packet that the MQTT broker would not take; `what` says whose it is, without its content. */
export function packetTooLarge(what: string, bytes: number, maximum: number): StarcastError {
  return new StarcastError(
    "event_too_large",
    `Expected a packet of at most ${maximum} bytes, which is all the MQTT broker takes, got ${bytes} for \`${what}\``,
  );
}
