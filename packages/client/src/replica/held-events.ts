import { readPlace } from "../place.ts";

/** Events that came while the state is being loaded; `after` is where holding began, null: before the first event. */
export interface HeldEvents<Event> {
  readonly after: string | null;
  readonly events: Event[];
}

/**
 * The held events that a loaded state lacks; null when it is the state of another time: older than what is held, so that
 * events between the two were never seen, or of another numbering. Pure.
 */
export function eventsToApply<Event extends { readonly id: string }>(
  { after, events }: HeldEvents<Event>,
  position: string,
): readonly Event[] | null {
  const loaded = readPlace(position);
  if (loaded === null) return null;
  const held = readPlace(after);
  if (held !== null && (held.epoch !== loaded.epoch || held.offset > loaded.offset)) return null;
  const places = events.map(({ id }) => readPlace(id));
  if (places.some((place) => place?.epoch !== loaded.epoch)) return null;
  return events.filter((_, index) => (places[index]?.offset ?? 0) > loaded.offset);
}
