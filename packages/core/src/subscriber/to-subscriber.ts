import type { Surroundings } from "../clock.ts";
import { InvalidOptionError } from "../errors.ts";
import type { LogEvent } from "../event/log-event.ts";
import { EachEvent } from "./each-event.ts";
import type { Gap, Subscriber } from "./subscriber.ts";

/** A function that gets each event; a promise it returns is awaited before the next. */
export type EventFunction<E> = (event: E) => unknown;

/** The same as an object: `send` gets each event, `close` is called once at the end. */
export interface EventReceiver<E> {
  send(event: E): unknown;
  close?(): unknown;
}

export interface ToSubscriberOptions {
  readonly surroundings: Surroundings;
  readonly onGap: ((gap: Gap) => unknown) | undefined;
  readonly isNamed: boolean;
  readonly onFailed: (error: unknown) => void;
}

/** Whatever may be passed to `subscribe` as the port the pump knows; throws `invalid_option` for anything else. */
export function toSubscriber(subscriber: unknown, options: ToSubscriberOptions): Subscriber {
  if (hasMethod(subscriber, "deliver")) return subscriber as unknown as Subscriber;
  const { scheduler, random } = options.surroundings;
  const { onGap, isNamed, onFailed } = options;
  return new EachEvent({ ...callsOf(subscriber), onGap, isNamed, onFailed, scheduler, random });
}

// Typed by their patterns where they are passed; here an event is an event.
function callsOf(subscriber: unknown): {
  readonly send: (event: LogEvent) => unknown;
  readonly close: (() => unknown) | undefined;
} {
  if (typeof subscriber === "function") return { send: subscriber as EventFunction<LogEvent>, close: undefined };
  if (hasMethod(subscriber, "send")) {
    const receiver = subscriber as unknown as EventReceiver<LogEvent>;
    return { send: (event) => receiver.send(event), close: () => receiver.close?.() };
  }
  throw new InvalidOptionError({
    option: "subscriber",
    expected: "a function, { send, close? } or a Subscriber",
    received: subscriber,
  });
}

function hasMethod<Name extends string>(value: unknown, name: Name): value is Readonly<Record<Name, unknown>> {
  return (
    typeof value === "object" &&
    value !== null &&
    name in value &&
    typeof (value as Readonly<Record<string, unknown>>)[name] === "function"
  );
}
