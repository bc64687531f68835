import type { EventLog } from "@starcast/core";
import type { Pending } from "./kept-catalog.ts";

/** How far a run came before it was cut off, as the log tells it. */
export interface Announced {
  readonly isStarted: boolean;
  /** Numbers of the announcements that are in the log. */
  readonly changes: ReadonlySet<number>;
  readonly isCompleted: boolean;
}

/** Nothing of a run can be in the log yet. */
export const nothingAnnounced: Announced = Object.freeze({
  isStarted: false,
  changes: new Set<number>(),
  isCompleted: false,
});

/**
 * Reads the log after the place where a run began, and finds what of the run was published. `window` is how many
 * announcements may have been on their way at once: where retention took the beginning of a run, everything further back
 * than that from one that is there was published before it.
 */
export async function findAnnounced(log: EventLog, pending: Pending, name: string, window: number): Promise<Announced> {
  const { head } = await log.refresh();
  // Another epoch: an acknowledged tail may have been lost, so nothing proves that anything of the run survived.
  if (log.epoch !== pending.after.epoch) return nothingAnnounced;
  const numbers = new Map(pending.announcements.map(({ type, subject }, index) => [nameOf(type, subject), index]));
  const changes = new Set<number>();
  let isStarted = false;
  let isCompleted = false;
  for (let after = pending.after.offset; after < head;) {
    const page = await log.read(after, { maxEvents: 500, maxBytes: 4_194_304 });
    for (const { type, subject, json } of page) {
      const index = numbers.get(nameOf(type, subject));
      // Somebody else may publish about the same subject: only the very same data is ours.
      if (index !== undefined && JSON.stringify(pending.announcements[index]?.data) === json) changes.add(index);
      if (subject === name && type === "sync.started") isStarted = true;
      if (subject === name && type === "sync.completed") isCompleted = true;
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.offset;
  }
  if (log.trimmedThrough > pending.after.offset) {
    const newest = Math.max(-1, ...changes);
    for (let index = 0; index <= newest - window; index += 1) changes.add(index);
    isStarted ||= newest >= 0;
  }
  return { isStarted, changes, isCompleted };
}

// The two are apart: a type holds no space.
function nameOf(type: string, subject: string | undefined): string {
  return `${type} ${subject ?? ""}`;
}
