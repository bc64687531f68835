import { cloudEventText, jsonEnvelope, type Encoding, type LogEvent, type Random } from "@starcast/core";
import type { ClientFrameType, ClientFrames } from "@starcast/core/wire";
import { textFrame } from "./text-frame.ts";

/** What is spoken under one subprotocol: how events look, and what the gateway itself says. */
export interface Dialect {
  readonly protocol: string;
  /** Events as text frames: one object per gateway, so that all its connections share the bytes. */
  readonly encoding: Encoding;
  /** The text in such a frame. */
  textOf(event: LogEvent): string;
  clientFrame<Type extends ClientFrameType>(type: Type, data: ClientFrames[Type], timestamp: string): Uint8Array;
}

/** The subprotocols of a gateway, by name; the first is spoken where none was asked for. */
export interface Dialects {
  readonly starcast: Dialect;
  readonly cloudEvents: Dialect;
}

/** `source` has passed `checkCloudEventsSource`. */
export function makeDialects(source: string, random: Random): Dialects {
  return { starcast: starcastDialect, cloudEvents: cloudEventsDialect(source, random) };
}

/** The first subprotocol a client offered that is spoken here, if any (RFC 6455, 4.2.2: one of the offered, or none). */
export function chooseDialect(offered: readonly string[], dialects: Dialects): Dialect | null {
  for (const protocol of offered) {
    if (protocol === dialects.starcast.protocol) return dialects.starcast;
    if (protocol === dialects.cloudEvents.protocol) return dialects.cloudEvents;
  }
  return null;
}

// Shared by all gateways of the process, as nothing in it is a gateway's own.
const starcastDialect: Dialect = Object.freeze({
  protocol: "starcast.v1",
  encoding: frames("starcast.v1", jsonEnvelope),
  textOf: jsonEnvelope,
  clientFrame: (type: string, data: unknown, timestamp: string) => textFrame(JSON.stringify({ type, timestamp, data })),
});

// The CloudEvents WebSocket binding (1.0, section 3) wants every message to be a CloudEvent: the gateway's own too.
function cloudEventsDialect(source: string, random: Random): Dialect {
  const sender = Math.floor(random.next() * 0x1_0000_0000).toString(36);
  let count = 0;
  const textOf = (event: LogEvent): string => cloudEventText(event, source);
  return Object.freeze({
    protocol: "cloudevents.json",
    encoding: frames("cloudevents.json", textOf),
    textOf,
    clientFrame: (type: string, data: unknown, time: string) => {
      count += 1;
      // Unique together with the source (section 3.1.1), and never an event's id, which has one hyphen.
      const id = `client-${sender}-${count}`;
      return textFrame(
        JSON.stringify({ specversion: "1.0", id, source, type, time, datacontenttype: "application/json", data }),
      );
    },
  });
}

function frames(protocol: string, textOf: (event: LogEvent) => string): Encoding {
  return Object.freeze({ name: `${protocol} frames`, encode: (event: LogEvent) => textFrame(textOf(event)) });
}
