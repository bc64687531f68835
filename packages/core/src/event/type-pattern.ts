import type { EventMap, EventOf } from "./event.ts";

/** The patterns that can match a type of a vocabulary, so that `"modle.*"` does not compile. */
export type TypePattern<Events> = string extends keyof Events ? string : "**" | PatternOf<keyof Events & string>;

/** The events that a list of patterns lets through. */
export type EventsMatching<Events, Pattern extends string> = string extends keyof Events
  ? EventOf<EventMap>
  : EventOf<Events, Extract<keyof Events & string, Glob<Pattern>>>;

type PatternOf<Type extends string> = Type extends `${infer Head}.${infer Rest}`
  ? `${Head | "*"}.${PatternOf<Rest>}` | `${Head | "*"}.**`
  : Type | "*";

type Glob<Pattern extends string> = Pattern extends `${infer Head}**`
  ? `${Glob<Head>}${string}`
  : Pattern extends `${infer Head}*${infer Rest}`
    ? `${Head}${string}${Glob<Rest>}`
    : Pattern;
