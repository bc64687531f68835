import type { LogEvent } from "../event/log-event.ts";
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
  /** During a tick, where the filter lists its subjects: the events of these. */
  listed: LogEvent[] = [];

  constructor(home: CursorControl, filter: CompiledFilter, place: number) {
    this.home = home;
    this.filter = filter;
    this.place = place;
  }

  /** A copy: what joins them meanwhile is the next tick's. */
  behindNow(): readonly Cursor[] {
    return this.behind.size === 0 ? none : [...this.behind];
  }

  /** Where a live cursor stands, also in the middle of a tick that has not come to it yet. */
  placeOf(cursor: Cursor, tick: number): number {
    return this.placeBefore >= 0 && cursor.offeredInTick !== tick ? this.placeBefore : this.place;
  }
}

// Most groups have none, and there may be thousands.
const none: readonly Cursor[] = [];

/** The groups there are: one per filter that somebody has. */
export class FilterGroups {
  readonly #home: CursorControl;
  readonly #groups = new Map<string, FilterGroup>();
  /** Those whose filters list their subjects. */
  readonly #bySubject = new Map<string, Set<FilterGroup>>();

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
      for (const subject of filter.subjects ?? []) {
        const groups = this.#bySubject.get(subject) ?? new Set();
        this.#bySubject.set(subject, groups.add(group));
      }
    }
    group.size += 1;
    return group;
  }

  leave(cursor: Cursor): void {
    const { group } = cursor;
    group.live.delete(cursor);
    group.behind.delete(cursor);
    group.size -= 1;
    if (group.size > 0) return;
    this.#groups.delete(group.filter.key);
    for (const subject of group.filter.subjects ?? []) {
      const groups = this.#bySubject.get(subject);
      groups?.delete(group);
      if (groups?.size === 0) this.#bySubject.delete(subject);
    }
  }

  /**
   * Tells groups whose filters list their subjects which of these events they may want; gives those that were told. With
   * 10,000 filters of one subject each, asking every filter about every event took ten times as long.
   */
  tellListed(events: readonly LogEvent[]): readonly FilterGroup[] {
    const told: FilterGroup[] = [];
    if (this.#bySubject.size === 0) return told;
    for (const event of events) {
      if (event.subject === undefined) continue;
      for (const group of this.#bySubject.get(event.subject) ?? []) {
        if (group.listed.length === 0) told.push(group);
        group.listed.push(event);
      }
    }
    return told;
  }
}
