import type { Surroundings } from "../clock.ts";
import { EventRun } from "../encoding/run.ts";
import type { StoredEvent } from "../event/event.ts";
import { LogEvent } from "../event/log-event.ts";
import type { EventLog, ReadLimit } from "../log/event-log.ts";
import { EventRing, smallerOf } from "../log/event-ring.ts";
import type { Gap } from "../subscriber/subscriber.ts";
import { CatchUp } from "./catch-up.ts";
import { Cursor, type CursorControl, type CursorSpec } from "./cursor.ts";
import { FilterGroups, type FilterGroup } from "./filter-group.ts";
import { everything, type CompiledFilter } from "./filter.ts";
import { FreshBytes } from "./fresh-bytes.ts";
import { HandOver } from "./hand-over.ts";
import { Locator } from "./locator.ts";
import { LogWatch } from "./log-watch.ts";
import { WakeUp } from "./wake-up.ts";

export interface PumpOptions {
  readonly log: EventLog;
  readonly surroundings: Surroundings;
  readonly hotWindow: ReadLimit;
  readonly pageCacheBytes: number;
  readonly flushMs: number;
  /** Called once per gap that a subscriber was told. */
  readonly onGap: (cursor: Cursor, gap: Gap) => void;
  /** The subscriber broke its contract; the broker closes it. */
  readonly onFailed: (cursor: Cursor, error: unknown) => void;
  readonly onReadFailed: (after: number, error: unknown) => void;
}

/** Brings every ready cursor to the head, once per turn of the event loop; the only way an event reaches anybody. */
export class Pump implements CursorControl {
  readonly #log: EventLog;
  readonly #window: EventRing<LogEvent>;
  readonly #freshBytes: FreshBytes;
  readonly #catchUp: CatchUp;
  readonly #handOver: HandOver;
  readonly #locator: Locator;
  readonly #wakeUp: WakeUp;
  readonly #groups: FilterGroups = new FilterGroups(this);
  readonly epoch: string;
  readonly #watch: LogWatch;
  #isTicking = false;
  #isClosed = false;
  #tick = 0;
  /** Through where the last tick offered everything, and the bytes that came since. */
  #offered: number;
  #bytesSince = 0;
  #bytesDuringTick = 0;

  constructor(options: PumpOptions) {
    const { log, hotWindow, surroundings } = options;
    this.#log = log;
    this.epoch = log.epoch;
    // What retention took must not be found in memory: the window never outgrows the log.
    this.#window = new EventRing(smallerOf(hotWindow, log.retention), log.head);
    this.#freshBytes = new FreshBytes(this.#window);
    this.#offered = log.head;
    this.#catchUp = new CatchUp({
      log,
      window: this.#window,
      scheduler: surroundings.scheduler,
      cacheBytes: options.pageCacheBytes,
      onFailed: options.onReadFailed,
    });
    this.#handOver = new HandOver({ epoch: log.epoch, onGap: options.onGap, onFailed: options.onFailed });
    this.#locator = new Locator({ log, scheduler: surroundings.scheduler, onFailed: options.onReadFailed });
    this.#wakeUp = new WakeUp({ scheduler: surroundings.scheduler, flushMs: options.flushMs, tick: () => this.tick() });
    this.#watch = new LogWatch(log, this.#window, (events) => this.#committed(events));
  }

  /** Committed events not yet offered to every ready subscriber. */
  get backlog(): number {
    return this.#window.newest - this.#offered;
  }

  /** True when every cursor is at the head: nothing is waiting, reading or behind. */
  get isCaughtUp(): boolean {
    if (this.backlog > 0) return false;
    for (const group of this.#groups) if (group.live.size < group.size) return false;
    return true;
  }

  /** The committed event, if it is among the newest. */
  eventAt(offset: number): LogEvent | undefined {
    return this.#window.at(offset);
  }

  /** False while a tick is on and so much more would push out what it is still handing over; true counts as taken. */
  hasRoomFor(count: number, sizeBytes: number): boolean {
    if (!this.#isTicking) return true;
    const { maxEvents, maxBytes } = this.#window.limit;
    // The log's head: while it tells of one event, what is published meanwhile has not come here yet.
    if (this.#log.head - this.#offered + count > maxEvents / 2) return false;
    if (this.#bytesDuringTick + sizeBytes > maxBytes / 2) return false;
    this.#bytesDuringTick += sizeBytes;
    return true;
  }

  add(spec: CursorSpec, filter: CompiledFilter): Cursor {
    if (this.#watch.begin()) this.#offered = this.#window.newest;
    const cursor = new Cursor(spec, this.#groups.join(filter, this.#offered));
    this.#locator.place(cursor, () => this.#putBehind(cursor));
    return cursor;
  }

  /**
   * Nothing more is handed over. What is in flight may still be acknowledged, until the cursor's line is cut.
   * Idempotent.
   */
  remove(cursor: Cursor): void {
    if (cursor.state === "closed") return;
    const offset = this.placeOf(cursor);
    this.#groups.leave(cursor);
    cursor.offset = offset;
    cursor.state = "closed";
    cursor.dropPage();
  }

  /**
   * From the returned offset on the other filter holds; `after`, a past offset, makes the cursor go there first. One that
   * is past the head is nowhere: the cursor stays.
   */
  setFilter(cursor: Cursor, filter: CompiledFilter, after: number | null): number {
    if (cursor.state === "closed") return cursor.offset;
    cursor.offset = this.placeOf(cursor);
    this.#groups.leave(cursor);
    cursor.group = this.#groups.join(filter, this.#offered);
    cursor.dropPage();
    if (after !== null && (after <= this.#log.head || cursor.state === "locating")) cursor.moveTo(after);
    if (cursor.state === "live" || cursor.state === "reading") cursor.state = "behind";
    if (cursor.state === "behind") this.#putBehind(cursor);
    return cursor.offset;
  }

  placeOf(cursor: Cursor): number {
    return cursor.state === "live" ? cursor.group.placeOf(cursor, this.#tick) : cursor.offset;
  }

  wake(cursor: Cursor): void {
    cursor.isReadyAgain = true;
    if (cursor.state !== "waiting") return;
    this.#putBehind(cursor);
  }

  rewind(cursor: Cursor): void {
    if (cursor.state === "closed") return;
    cursor.group.live.delete(cursor);
    cursor.goBack();
    cursor.line = null;
    this.#putBehind(cursor);
  }

  /** Brings every ready cursor to the head of this moment. Not re-entrant: what is published meanwhile waits for the next tick. */
  tick(): void {
    if (this.#isTicking || this.#isClosed) return;
    this.#isTicking = true;
    this.#tick += 1;
    this.#wakeUp.arrived();
    const after = this.#offered;
    const target = this.#window.newest;
    this.#offered = target;
    this.#bytesSince = this.#bytesDuringTick = 0;
    const isHere = target > after && this.#window.dropped <= after;
    const events = isHere && this.#groups.size > 0 ? this.#window.slice(after, target) : null;
    for (const group of this.#groups.beginTick(events, target)) {
      const behind = group.behindNow();
      this.#moveLive(group, target, group.isListed && events !== null ? group.wanted : events);
      for (const cursor of behind) this.#bring(cursor, target);
    }
    this.#groups.endTick(target);
    this.#freshBytes.advance(target);
    this.#catchUp.followWindow();
    this.#isTicking = false;
    if (this.#window.newest > target) this.#wakeUp.flush();
  }

  close(): void {
    this.#isClosed = true;
    this.#watch.close();
    this.#catchUp.close();
    this.#wakeUp.close();
    this.#locator.close();
    for (const group of [...this.#groups]) for (const cursor of [...group.live, ...group.behind]) this.remove(cursor);
  }

  #committed(events: readonly StoredEvent[]): void {
    for (const stored of events) {
      // Half of the window is what may wait: then a tick always finds its events still here.
      if (!this.#isWithinHalf(stored.sizeBytes) && this.backlog > 0) this.tick();
      if (stored.offset !== this.#window.newest + 1) this.#window.restart(stored.offset - 1);
      this.#window.push(LogEvent.from(this.#log.epoch, stored));
      this.#bytesSince += stored.sizeBytes;
    }
    this.#wakeUp.flush();
  }

  #isWithinHalf(sizeBytes: number): boolean {
    const { maxEvents, maxBytes } = this.#window.limit;
    return this.backlog + 1 <= maxEvents / 2 && this.#bytesSince + sizeBytes <= maxBytes / 2;
  }

  /** `events`: those that the group may want, all there were since its place; null when they are not here. */
  #moveLive(group: FilterGroup, target: number, events: readonly LogEvent[] | null): void {
    const after = group.place;
    if (after >= target) return;
    group.place = target;
    if (group.live.size === 0) return;
    if (events === null) return this.#leaveBehind(group, after);
    if (events.length === 0) return;
    const matching = group.filter === everything ? events : events.filter((event) => group.filter.matches(event));
    if (matching.length === 0) return;
    const batch = new EventRun(this.#log.epoch, after, target, matching, group.filter.key).batchAfter(after);
    group.placeBefore = after;
    for (const cursor of group.live) {
      cursor.offeredInTick = this.#tick;
      cursor.offset = after;
      const outcome = this.#handOver.offer(cursor, batch);
      if (outcome === "all" && cursor.state === "live") continue;
      group.live.delete(cursor);
      if (outcome === "part" || outcome === "again") this.#pause(cursor, outcome);
    }
    group.placeBefore = -1;
  }

  /** More was committed at once than the window holds: what is missing here is read from the log. */
  #leaveBehind(group: FilterGroup, offset: number): void {
    for (const cursor of group.live) {
      cursor.offset = offset;
      this.#putBehind(cursor);
    }
    group.live.clear();
  }

  #bring(cursor: Cursor, target: number): void {
    if (cursor.state !== "behind") return;
    this.#handOver.open(cursor);
    // Without a line it was rewound meanwhile: its next life begins in the next tick.
    while (cursor.state === "behind" && cursor.line !== null) {
      // Trimmed, or a hole in what should be retained: told alike.
      const missing = Math.max(this.#log.trimmedThrough, cursor.page?.after ?? 0);
      if (cursor.offset < missing) {
        this.#handOver.skip(cursor, missing);
        continue;
      }
      if (cursor.offset >= target) {
        // A group of another filter, joined in this tick, may not have been moved yet.
        if (cursor.offset === target && cursor.group.place === target) this.#joinLive(cursor);
        return;
      }
      const page =
        cursor.page?.holdsAfter(cursor.offset) === true
          ? cursor.page.upTo(target)
          : this.#catchUp.pageNow(cursor.offset, target);
      cursor.page = null;
      if (page === null) return this.#read(cursor);
      const batch = page.run(cursor.group.filter).batchAfter(cursor.offset);
      if (batch.events.length === 0) {
        cursor.offset = page.through;
        continue;
      }
      const outcome = this.#handOver.offer(cursor, batch);
      if (outcome === "part" || outcome === "again") this.#pause(cursor, outcome);
      if (outcome !== "all") return;
    }
  }

  /** It is full: nothing more in this tick, and in the next only if it is ready again. */
  #pause(cursor: Cursor, outcome: "part" | "again"): void {
    cursor.state = outcome === "part" ? "waiting" : "behind";
    if (outcome === "part") cursor.group.behind.delete(cursor);
    else this.#putBehind(cursor);
  }

  #read(cursor: Cursor): void {
    cursor.state = "reading";
    cursor.group.behind.delete(cursor);
    cursor.cancelRead = this.#catchUp.read(cursor.offset, (page) => {
      cursor.cancelRead = null;
      cursor.page = page;
      this.#putBehind(cursor);
    });
  }

  #joinLive(cursor: Cursor): void {
    cursor.state = "live";
    cursor.offeredInTick = this.#tick;
    cursor.group.behind.delete(cursor);
    cursor.group.live.add(cursor);
  }

  #putBehind(cursor: Cursor): void {
    cursor.state = "behind";
    this.#groups.putBehind(cursor);
    this.#wakeUp.now();
  }
}
