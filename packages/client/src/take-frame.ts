import type { EventFrame, ParsedFrame } from "@starcast/core/wire";
import type { ClientGap } from "./client-state.ts";
import { readPlace } from "./place.ts";

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
export function takeFrame(
  place: string | null,
  frame: Extract<ParsedFrame, { kind: "event" | "client" }>["frame"],
  startsAtHead: boolean,
): Taken {
  if ("id" in frame) return takeEvent(place, frame);
  switch (frame.type) {
    case "client.connected":
      // A gap may follow, and a connection that breaks before it must not hide it; at the head none can.
      return stay(place === null && startsAtHead ? frame.data.position : place);
    case "client.gap":
      return { place: frame.data.through, gap: frame.data, event: null };
    case "client.heartbeat":
      return stay(isAhead(place, frame.data.position) ? frame.data.position : place);
    case "client.subscribed":
    case "client.refused":
    case "client.closing":
      return stay(place);
  }
}

function takeEvent(place: string | null, event: EventFrame): Taken {
  const at = readPlace(place);
  const id = readPlace(event.id);
  if (at === null || id === null) return { place: event.id, gap: null, event };
  if (at.epoch !== id.epoch) {
    // Another numbering, and nobody said so: what lies between cannot be known.
    const through = `${id.epoch}-${id.offset - 1}`;
    return { place: event.id, gap: { after: place, through, reason: "epoch" }, event };
  }
  return id.offset > at.offset ? { place: event.id, gap: null, event } : stay(place);
}

function isAhead(place: string | null, position: string): boolean {
  const [at, to] = [readPlace(place), readPlace(position)];
  return to !== null && (at === null || (at.epoch === to.epoch && to.offset > at.offset));
}

function stay(place: string | null): Taken {
  return { place, gap: null, event: null };
}
