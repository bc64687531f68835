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
  /** Of a named subscription: another process moves its place now. Events come again when this one does. */
  suspend?(): unknown;
}

export interface ToSubscriberOptions {
  readonly surroundings: Surroundings;
  readonly onGap: ((gap: Gap) => unknown) | undefined;
  readonly isNamed: boolean;
  readonly onFailed: (error: unknown) => void;
}

/** Whatever may be passed to `subscribe` as the port the pump knows; throws `invalid_option` for anything else. */
export function toSubscriber(subscriber: unknown, options: ToSubscriberOptions): Subscriber {
  if (isSubscriber(subscriber)) return subscriber;
  const { scheduler, random } = options.surroundings;
  const { onGap, isNamed, onFailed } = options;
  return new EachEvent({ ...callsOf(subscriber), onGap, isNamed, onFailed, scheduler, random });
}

// Typed by their patterns where they are passed; here an event is an event.
function callsOf(subscriber: unknown): {
  readonly send: (event: LogEvent) => unknown;
  readonly close: (() => unknown) | undefined;
  readonly suspend: (() => unknown) | undefined;
} {
  if (isEventFunction(subscriber)) return { send: subscriber, close: undefined, suspend: undefined };
  if (isReceiver(subscriber)) {
    return {
      send: (event) => subscriber.send(event),
      close: () => subscriber.close?.(),
      suspend: () => subscriber.suspend?.(),
    };
  }
  throw new InvalidOptionError({
    option: "subscriber",
    expected: "a function, { send, close? } or a Subscriber",
    received: subscriber,
  });
}

// The one method that tells them apart; the compiler holds the caller to the rest.
/** The port itself and nothing else; throws `invalid_option`. */
export function asPort(value: unknown): Subscriber {
  if (isSubscriber(value)) return value;
  throw new InvalidOptionError({ option: "subscriber", expected: "a Subscriber", received: value });
}

function isSubscriber(value: unknown): value is Subscriber {
  return hasMethod(value, "deliver");
}

function isReceiver(value: unknown): value is EventReceiver<LogEvent> {
  return hasMethod(value, "send");
}

function isEventFunction(value: unknown): value is EventFunction<LogEvent> {
  return typeof value === "function";
}

function hasMethod(value: unknown, name: string): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    name in value &&
    typeof (value as Readonly<Record<string, unknown>>)[name] === "function"
  );
}
