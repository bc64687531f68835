import type { TypesMatching } from "../wire/type-pattern.ts";
import type { EventMap, EventOf } from "./event.ts";

export type { TypePattern } from "../wire/type-pattern.ts";

/** The events that a list of patterns lets through. */
export type EventsMatching<Events, Pattern extends string> = string extends keyof Events
  ? EventOf<EventMap>
  : EventOf<Events, TypesMatching<Events, Pattern>>;
