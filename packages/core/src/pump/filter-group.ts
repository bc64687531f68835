import type { Cursor } from "./cursor.ts";
import type { CompiledFilter } from "./filter.ts";

/**
 * The cursors of one filter. Those that are live stand at one place and move as one, so that an event nobody in the
 * group asked for costs one comparison, however many they are.
 */
export class FilterGroup {
  readonly filter: CompiledFilter;
  readonly live = new Set<Cursor>();
  /** Ready, somewhere before the head; each is brought there in the next tick. */
  readonly behind = new Set<Cursor>();
  /** Where the live ones stand. */
  place: number;
  /** Where the live ones stood before the tick that is offering; -1 otherwise. */
  placeBefore = -1;
  size = 0;

  constructor(filter: CompiledFilter, place: number) {
    this.filter = filter;
    this.place = place;
  }

  /** Where a live cursor stands, also in the middle of a tick that has not come to it yet. */
  placeOf(cursor: Cursor, tick: number): number {
    return this.placeBefore >= 0 && cursor.offeredInTick !== tick ? this.placeBefore : this.place;
  }

  forget(cursor: Cursor): void {
    this.live.delete(cursor);
    this.behind.delete(cursor);
  }
}
