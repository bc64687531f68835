import type { EventFrame } from "@starcast/core/wire";
import type { ClientGap } from "./client-state.ts";
import { isAhead, readPlace } from "./place.ts";
import type { KnownFrame } from "./read-frame.ts";

/** What a frame means for whoever stands at a place. */
export interface Taken {
  /** Where to resume after it; null: still nowhere certain. */
  readonly place: string | null;
  /** Told before the event, if both are there. */
  readonly gap: ClientGap | null;
  readonly event: EventFrame | null;
}

/**
 * Each event once and in order, whatever is sent twice; a gap where events are missing. A gap is the server's word, and
 * moves the place wherever it says. Pure.
 */
export function takeFrame(place: string | null, frame: KnownFrame, startsAtHead: boolean): Taken {
  let [gap, event]: [ClientGap | null, EventFrame | null] = [null, null];
  if ("id" in frame) {
    const [at, id] = [readPlace(place), readPlace(frame.id)];
    // Another numbering, and nobody said so: what lies between cannot be known.
    if (at !== null && id !== null && at.epoch !== id.epoch)
      gap = { after: place, through: `${id.epoch}-${id.offset - 1}`, reason: "epoch" };
    if (gap !== null || isAhead(place, frame.id)) [place, event] = [frame.id, frame];
  } else if (frame.type === "client.gap") {
    gap = frame.data;
    place = frame.data.through;
  } else if (frame.type === "client.connected") {
    // A gap may follow, and a connection that breaks before it must not hide it; at the head none can.
    if (place === null && startsAtHead) place = frame.data.position;
  } else if (frame.type === "client.heartbeat" && isAhead(place, frame.data.position)) place = frame.data.position;
  return { place, gap, event };
}
