import type { LogEvent } from "../event/log-event.ts";

/** Turns one event into the bytes a transport writes for it. Pure: the same event always gives the same bytes. */
export interface Encoding {
  /** For people; encodings are the same only if they are the same object. */
  readonly name: string;
  /**
   * MUST return bytes that nobody changes afterwards. Called once per event, however many subscribers there are, and once
   * more for those who come back to it late.
   */
  encode(event: LogEvent): Uint8Array;
}
