import { InvalidOptionError, type Event, type LogEvent } from "@starcast/core";

/** Gives the `traceparent` an event was published under, from wherever its data has it; `undefined` for none. */
export type TraceparentOf = (event: Event) => string | undefined;

/** The trace context of an event; null for none, and for what is none: an event is worth more than its trace. */
export function traceparentOf(event: LogEvent, find: TraceparentOf): string | null {
  try {
    const found: unknown = find(event);
    return typeof found === "string" && wellFormed.test(found) ? found : null;
  } catch {
    // The user's code, which may not expect each type of event.
    return null;
  }
}

/** The function, or null for none; throws `InvalidOptionError` for anything else. */
export function resolveTraceparent(option: string, find: TraceparentOf | undefined): TraceparentOf | null {
  if (find === undefined) return null;
  if (typeof find === "function") return find;
  throw new InvalidOptionError({ option, expected: "a function from an event to its traceparent", received: find });
}

// W3C Trace Context, section 3.2: version, trace id, parent id and flags; ff and ids of zeros are invalid.
const wellFormed = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
