import type { Gap } from "./subscriber.ts";

/** Two gaps without an event between them, one of which was not told yet, are one; it has the first one's reason. */
export function joinGaps(first: Gap | null, next: Gap): Gap {
  return first === null ? next : { ...first, through: next.through };
}
