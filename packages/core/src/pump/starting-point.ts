import type { Position } from "../log/position.ts";
import type { Gap, GapReason } from "../subscriber/subscriber.ts";

/**
 * Where a subscriber starts: at the oldest retained event, after the newest, after a position, or, for a receiver whose
 * position could not be read, at the oldest with a gap that says so.
 */
export type StartingPoint = "earliest" | "latest" | "unreadable" | Position;

/** What must be known of a log to judge a starting point. */
export interface LogBounds {
  readonly epoch: string;
  readonly trimmedThrough: number;
  readonly head: number;
}

/** Where a subscriber goes on, and what it has to be told before. */
export interface Place {
  readonly offset: number;
  readonly gap: Gap | null;
  /** True when it goes on exactly where it asked to. */
  readonly isResumed: boolean;
}

/**
 * The place for a starting point; null when the position is past the head known here, and the engine has to be asked
 * first (`isFresh` says that it was). Pure.
 */
export function locate(
  from: StartingPoint,
  log: LogBounds,
  options: { readonly maxReplayEvents: number; readonly isFresh: boolean },
): Place | null {
  if (from === "latest") return { offset: log.head, gap: null, isResumed: false };
  const oldest = Math.max(log.trimmedThrough, log.head - options.maxReplayEvents);
  if (from === "earliest") {
    const isCut = oldest > log.trimmedThrough;
    return isCut
      ? missed({ epoch: log.epoch, offset: log.trimmedThrough }, oldest, "replay_limit", log)
      : { offset: oldest, gap: null, isResumed: false };
  }
  if (from === "unreadable") return missed(null, oldest, "unknown", log);
  if (from.epoch !== log.epoch) return missed(from, oldest, "epoch", log);
  if (from.offset > log.head) return options.isFresh ? missed(from, oldest, "unknown", log) : null;
  if (from.offset < oldest)
    return missed(from, oldest, from.offset < log.trimmedThrough ? "trimmed" : "replay_limit", log);
  return { offset: from.offset, gap: null, isResumed: true };
}

/** How many positions a gap names; for one of another epoch, those of this one. */
export function countMissed(gap: Gap): number {
  const isComparable =
    gap.after !== null && gap.after.epoch === gap.through.epoch && gap.after.offset <= gap.through.offset;
  return gap.through.offset - (isComparable && gap.after !== null ? gap.after.offset : 0);
}

function missed(after: Position | null, offset: number, reason: GapReason, log: LogBounds): Place {
  return { offset, gap: { after, through: { epoch: log.epoch, offset }, reason }, isResumed: false };
}
