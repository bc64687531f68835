import { StarcastError } from "../errors.ts";
import type { EventDraft } from "../event/event.ts";
import type { ReadLimit } from "./event-log.ts";

/** Throws `overloaded` for a list so large that its own beginning could be pushed out before everybody was offered it. */
export function checkListFits(drafts: readonly EventDraft[], { maxEvents, maxBytes }: ReadLimit): void {
  if (drafts.length < 2) return;
  let bytes = 0;
  for (const draft of drafts) bytes += draft.sizeBytes;
  if (drafts.length <= maxEvents / 2 && bytes <= maxBytes / 2) return;
  throw new StarcastError(
    "overloaded",
    `Expected at most half of what the log retains in one publishAll (${maxEvents} events, ${maxBytes} bytes), got ${drafts.length} events of ${bytes} bytes`,
  );
}
