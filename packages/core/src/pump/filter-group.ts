import type { Cursor, CursorControl } from "./cursor.ts";
import type { CompiledFilter } from "./filter.ts";

/**
 * The cursors of one filter. Those that are live stand at one place and move as one, so that an event nobody in the
 * group asked for costs one comparison, however many they are.
 */
export class FilterGroup {
  /** Of all its cursors. */
  readonly home: CursorControl;
  readonly filter: CompiledFilter;
  readonly live: Set<Cursor> = new Set();
  /** Ready, somewhere before the head; each is brought there in the next tick. */
  readonly behind: Set<Cursor> = new Set();
  /** Where the live ones stand. */
  place: number;
  /** Where the live ones stood before the tick that is offering; -1 otherwise. */
  placeBefore = -1;
  size = 0;

  constructor(home: CursorControl, filter: CompiledFilter, place: number) {
    this.home = home;
    this.filter = filter;
    this.place = place;
  }

  /** Where a live cursor stands, also in the middle of a tick that has not come to it yet. */
  placeOf(cursor: Cursor, tick: number): number {
    return this.placeBefore >= 0 && cursor.offeredInTick !== tick ? this.placeBefore : this.place;
  }
}

/** The groups there are: one per filter that somebody has. */
export class FilterGroups {
  readonly #home: CursorControl;
  readonly #groups = new Map<string, FilterGroup>();

  constructor(home: CursorControl) {
    this.#home = home;
  }

  get size(): number {
    return this.#groups.size;
  }

  [Symbol.iterator](): IterableIterator<FilterGroup> {
    return this.#groups.values();
  }

  /** Puts a cursor into the group of a filter; a new group starts at `place`. */
  join(filter: CompiledFilter, place: number): FilterGroup {
    let group = this.#groups.get(filter.key);
    if (group === undefined) {
      group = new FilterGroup(this.#home, filter, place);
      this.#groups.set(filter.key, group);
    }
    group.size += 1;
    return group;
  }

  leave(cursor: Cursor): void {
    const { group } = cursor;
    group.live.delete(cursor);
    group.behind.delete(cursor);
    group.size -= 1;
    if (group.size === 0) this.#groups.delete(group.filter.key);
  }
}
