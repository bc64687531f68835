import type { Counts } from "../observe/counters.ts";
import type { PublishOptions, SubscribeOptions } from "./subscription.ts";

/** Subscribing by function or object, typed by the patterns. */
export interface TypedSubscribeOptions<Pattern extends string> extends Omit<SubscribeOptions, "types"> {
  /** Patterns: segments, `*` for one segment, `**` for the rest. @default everything */
  readonly types?: readonly Pattern[] | undefined;
}

export interface FollowingOptions<Pattern extends string> extends TypedSubscribeOptions<Pattern> {
  /** Ends the loop, without an error. @default none */
  readonly signal?: AbortSignal | undefined;
}

/** One entry of `publishAll`. */
export type PublicationOf<Events> = {
  readonly [Type in keyof Events & string]: { readonly type: Type; readonly data: Events[Type] } & PublishOptions;
}[keyof Events & string];

/**
 * A committed event, and whether it is an earlier one that its dedupe key met. When that one has left the log since, only
 * its id and timestamp are known: `isTrimmed` is true, `type` is what was asked for, and reading `data` throws `events_missed`.
 */
export type Published<E> = E & { readonly isDuplicate: boolean; readonly isTrimmed: boolean };

export interface BrokerStats extends Counts {
  readonly subscriberCount: number;
  readonly queueDepth: number;
}

/** Data may be left out where it is nothing. */
export type PublishArguments<Data> = undefined extends Data
  ? [data?: Data, options?: PublishOptions]
  : [data: Data, options?: PublishOptions];
