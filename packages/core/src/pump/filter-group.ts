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
  /** Listed by its subjects: in a tick that has nothing for it, it is moved with all of these at once. */
  readonly #listed: Listed | null;
  readonly live: Set<Cursor> = new Set();
  /** Ready, somewhere before the head; each is brought there in the next tick. */
  readonly behind: Set<Cursor> = new Set();
  #place: number;
  /** Where the live ones stood before the tick that is offering; -1 otherwise. */
  placeBefore = -1;
  size = 0;
  /** During a tick, if it is listed: the events of its subjects. */
  wanted: LogEvent[] = [];

  constructor(spec: {
    readonly home: CursorControl;
    readonly filter: CompiledFilter;
    readonly place: number;
    readonly listed: Listed | null;
  }) {
    this.home = spec.home;
    this.filter = spec.filter;
    this.#place = spec.place;
    this.#listed = spec.listed;
  }

  get isListed(): boolean {
    return this.#listed !== null;
  }

  /** Where the live ones stand. */
  get place(): number {
    if (this.#listed === null || this.wanted.length > 0) return this.#place;
    return Math.max(this.#place, this.#listed.through);
  }

  set place(offset: number) {
    this.#place = offset;
  }

  /** It has something to receive: the others move without it. */
  stay(): void {
    this.#place = this.place;
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

/** Where all groups stand that are listed by subject, unless they are further, or have something to receive. */
interface Listed {
  through: number;
}

// Most groups have none.
const none: readonly Cursor[] = [];

/**
 * The groups there are: one per filter that somebody has. Those whose filters list their subjects are found by these, and
 * not even looked at by a tick that has nothing for them: there may be as many as clients.
 */
export class FilterGroups {
  readonly #home: CursorControl;
  readonly #groups = new Map<string, FilterGroup>();
  readonly #unlisted = new Set<FilterGroup>();
  readonly #bySubject = new Map<string, Set<FilterGroup>>();
  /** Listed ones that had cursors behind when they were looked at last, or since. */
  readonly #behind = new Set<FilterGroup>();
  readonly #listed: Listed = { through: 0 };
  /** In this tick: listed ones with something to receive. */
  #told: FilterGroup[] = [];

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
      const listed = filter.subjects === null ? null : this.#listed;
      group = new FilterGroup({ home: this.#home, filter, place, listed });
      this.#groups.set(filter.key, group);
      if (filter.subjects === null) this.#unlisted.add(group);
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
    this.#unlisted.delete(group);
    this.#behind.delete(group);
    for (const subject of group.filter.subjects ?? []) {
      const groups = this.#bySubject.get(subject);
      groups?.delete(group);
      if (groups?.size === 0) this.#bySubject.delete(subject);
    }
  }

  putBehind(cursor: Cursor): void {
    const { group } = cursor;
    group.behind.add(cursor);
    if (group.isListed) this.#behind.add(group);
  }

  /** Those with something to do in a tick; null where its events are not here. A copy: what changes meanwhile is the next one's. */
  beginTick(events: readonly LogEvent[] | null, target: number): readonly FilterGroup[] {
    if (events === null || this.#bySubject.size === 0) return [...this.#groups.values()];
    for (const event of events) {
      if (event.subject === undefined) continue;
      for (const group of this.#bySubject.get(event.subject) ?? []) {
        if (group.wanted.length === 0) {
          group.stay();
          this.#told.push(group);
        }
        group.wanted.push(event);
      }
    }
    this.#listed.through = target;
    for (const group of this.#behind) if (group.behind.size === 0) this.#behind.delete(group);
    return [...new Set([...this.#unlisted, ...this.#told, ...this.#behind])];
  }

  endTick(target: number): void {
    for (const group of this.#told) group.wanted = [];
    this.#told = [];
    this.#listed.through = target;
  }
}
