import { isStarcastError, type ErrorCode } from "@starcast/core";
import type { Truth } from "./truth.ts";

/** Who hears what a publisher was told. */
export interface PublicationHearing {
  readonly truth: Truth;
  readonly counts: { published: number; refused: number };
  report(problem: string): void;
}

interface PublishedEvent {
  readonly id: string;
  readonly type: string;
  readonly isDuplicate?: boolean;
}

const refusals: readonly ErrorCode[] = ["overloaded", "broker_closed", "log_closed", "store_failed"];

/** Judges what a publisher is told: an event that was committed, with its content, or a typed refusal. */
export function judgePublication(
  hearing: PublicationHearing,
  wanted: readonly { readonly type: string; readonly data: unknown }[],
  published: Promise<readonly PublishedEvent[]>,
): void {
  published.then(
    (events) => {
      hearing.counts.published += events.length;
      if (events.length !== wanted.length)
        hearing.report(`publish resolved with ${events.length} of ${wanted.length} events`);
      events.forEach((event, index) => judgeEvent(hearing, event, wanted[index]));
    },
    (error: unknown) => {
      hearing.counts.refused += wanted.length;
      const isTyped = isStarcastError(error) && refusals.includes(error.code);
      if (!isTyped) hearing.report(`publish rejected with ${String(error)}`);
    },
  );
}

function judgeEvent(
  { truth, report }: PublicationHearing,
  { id, type, isDuplicate }: PublishedEvent,
  wanted: { readonly type: string; readonly data: unknown } | undefined,
): void {
  const offset = Number(id.slice(id.lastIndexOf("-") + 1));
  if (id !== `${truth.epoch}-${offset}` || !(offset >= 1 && offset <= truth.head))
    return report(`publish resolved with ${id}, which was never committed`);
  // Who meets its own dedupe key gets the first event's place; its content only while the log still holds it.
  if (isDuplicate === true) return;
  const real = truth.at(offset);
  const isSame = real?.type === type && real.json === JSON.stringify(wanted?.data);
  if (!isSame) report(`publish resolved with ${id}, which has other content`);
}
