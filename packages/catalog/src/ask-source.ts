import { StarcastError, isStarcastError } from "@starcast/core";
import type { Surroundings } from "@starcast/core";
import type { CatalogSource, SourceAnswer } from "./sources/source.ts";

export interface Question {
  readonly known: string | null;
  readonly timeoutMs: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/**
 * The source's answer; rejects with `source_failed` (its own error as cause), `timed_out`, or what it rejected with when
 * that is one of ours. Settles in time even if the source does not listen to its signal.
 */
export async function askSource<Entry>(
  source: CatalogSource<Entry>,
  question: Question,
  { scheduler }: Surroundings,
): Promise<SourceAnswer<Entry>> {
  if (question.signal.aborted) throw closed();
  const asking = new AbortController();
  let giveUp: (reason: StarcastError) => void = () => undefined;
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = (reason) => {
      asking.abort(reason);
      reject(reason);
    };
  });
  const onClosed = (): void => giveUp(closed());
  question.signal.addEventListener("abort", onClosed, { once: true });
  const timer = scheduler.after(question.timeoutMs, () => {
    giveUp(
      new StarcastError(
        "timed_out",
        `Expected the source to answer within ${question.timeoutMs} ms (sourceTimeoutMs), got nothing`,
      ),
    );
  });
  try {
    const answer = (async () => source({ known: question.known, signal: asking.signal }))();
    return await Promise.race([answer, givenUp]);
  } catch (error) {
    if (isStarcastError(error)) throw error;
    throw new StarcastError("source_failed", "Expected the source to give a catalog, got an error (see its cause)", {
      cause: error,
    });
  } finally {
    timer.cancel();
    question.signal.removeEventListener("abort", onClosed);
  }
}

function closed(): StarcastError {
  return new StarcastError("broker_closed", "Expected an answer of the source, closed before it came");
}
