import type { LogEvent } from "../event/log-event.ts";
import type { Encoding } from "./encoding.ts";
import { utf8Bytes } from "./side-by-side.ts";

/** The envelope text of an event, `{"id","type","timestamp","subject","data"}`: what every transport carries by default. */
export function jsonEnvelope(event: LogEvent): string {
  // Only the subject can need escaping: the draft's check keeps the others to safe characters, and `json` is JSON already.
  const subject = event.subject === undefined ? "" : `,"subject":${JSON.stringify(event.subject)}`;
  return `{"id":"${event.epoch}-${event.offset}","type":"${event.type}","timestamp":"${event.timestamp}"${subject},"data":${event.json}}`;
}

/** The envelope as UTF-8, without a frame. */
export const json: Encoding = Object.freeze({
  name: "json",
  encode: (event: LogEvent) => utf8Bytes(jsonEnvelope(event)),
});
