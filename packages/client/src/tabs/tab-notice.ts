import type { ClientState } from "../client-state.ts";
import type { Notice } from "../feed.ts";
import { isAhead, readPlace } from "../place.ts";

/** What the leading tab tells the others: what its connection brought, and the places before and after it. */
export interface TabNotice extends Pick<Notice, "gap" | "event"> {
  readonly from: string | null;
  readonly place: string | null;
  readonly state: ClientState;
}

/** What a tab asks the leading one: for a sign of life, and its place. */
export type TabMessage = TabNotice | "who leads";

/**
 * What somebody who stands at a place makes of it: takes it, passes over what it has already, or knows that it missed
 * something in between. Pure.
 */
export function judge(place: string | null, { from, place: to, gap }: TabNotice): "take" | "pass" | "missed" {
  if (from === place) return "take";
  if (place === null || to === null || readPlace(place)?.epoch !== readPlace(to)?.epoch) return "missed";
  if (!isAhead(place, to)) return "pass";
  // A gap has the ends that the leading tab saw; from elsewhere it is another.
  return gap || from === null || isAhead(place, from) || readPlace(from)?.epoch !== readPlace(place)?.epoch
    ? "missed"
    : "take";
}
