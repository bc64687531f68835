import type { GapReason, Position, StartingPoint } from "@starcast/core";
import type { SeededRandom } from "../seeded-random.ts";
import type { Truth } from "./truth.ts";

/** Where a life must begin, known before it does. */
export interface ExpectedStart {
  /** The first and the last offset it may begin after. */
  readonly min: number;
  readonly max: number;
  /** A gap that must be told first: why, and after which position it must say. */
  readonly gap: { readonly reason: GapReason; readonly after: Position | null } | null;
  /** `maybe`: where retention may have passed the place meanwhile. */
  readonly isResumed: boolean | "maybe";
  /** What lies behind it concerns nobody any more. */
  readonly low: number;
}

/** Where a subscriber may ask to start: every kind of place there is. */
export function anyStart({ epoch, epochs, head }: Truth, random: SeededRandom): StartingPoint | undefined {
  return random.pick<StartingPoint | undefined>([
    undefined,
    "latest",
    "earliest",
    "unreadable",
    { epoch, offset: random.integer(0, head) },
    { epoch, offset: Math.max(0, head - random.integer(0, 10)) },
    // So far in the future that the head does not come there while the engine is asked.
    { epoch, offset: head + 1_000_000 },
    { epoch: epochs.length > 1 ? (epochs.at(-2) ?? "") : "another1", offset: random.integer(0, head) },
  ]);
}

/** A position that a cursor cannot go to: of the future, or of another epoch. */
export function nowhere({ epoch, head }: Truth, random: SeededRandom): Position {
  return random.pick([
    { epoch, offset: head + 5 },
    { epoch: "another1", offset: 0 },
  ]);
}

/** Where it must start, and what it must be told first: promise 5, said once more. */
export function expectedStart(from: StartingPoint, truth: Truth, maxReplayEvents: number): () => ExpectedStart {
  const { epoch, head, trimmedThrough } = truth;
  const oldest = Math.max(trimmedThrough, head - maxReplayEvents);
  const cut = (after: Position | null, reason: GapReason) => (): ExpectedStart => ({
    min: oldest,
    max: oldest,
    gap: { reason, after },
    isResumed: false,
    low: oldest,
  });
  const at = (offset: number, isResumed: boolean) => (): ExpectedStart => ({
    min: offset,
    max: offset,
    gap: null,
    isResumed,
    low: offset,
  });
  if (from === "latest") return at(head, false);
  if (from === "earliest")
    return oldest > trimmedThrough ? cut({ epoch, offset: trimmedThrough }, "replay_limit") : at(oldest, false);
  if (from === "unreadable") return cut(null, "unknown");
  if (from.epoch !== epoch) return cut(from, "epoch");
  // Judged only after the engine was asked, when more may have happened.
  if (from.offset > head) {
    const first = cut(from, "unknown");
    return () => ({ ...first(), max: truth.head });
  }
  if (from.offset >= oldest) return at(from.offset, true);
  return cut(from, from.offset < trimmedThrough ? "trimmed" : "replay_limit");
}
