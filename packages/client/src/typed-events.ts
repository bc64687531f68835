import type { EventFrame, TypesMatching } from "@starcast/core/wire";

export type { TypePattern } from "@starcast/core/wire";

/** An event of a type, as it came. */
export interface ClientEvent<Type extends string = string, Data = unknown> extends EventFrame {
  readonly type: Type;
  readonly data: Data;
}

/** The events of a vocabulary that a pattern lets through, so that `type` narrows `data`. */
export type EventsMatching<Events, Pattern extends string = "**"> = string extends keyof Events
  ? ClientEvent
  : {
      readonly [Type in TypesMatching<Events, Pattern>]: ClientEvent<Type, Events[Type]>;
    }[TypesMatching<Events, Pattern>];

/** As much of a vocabulary of core as a client needs: `defineEvents` makes one, and its type alone costs a page nothing. */
export interface EventVocabulary<Events> {
  /** Phantom: gives the event map to the compiler only. */
  readonly "~events"?: Events;
  hasState(type: string): boolean;
  subjectOf(type: string, data: unknown): string | undefined;
  stateOf(type: string, data: unknown): unknown;
}
