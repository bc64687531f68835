import type { DeliveredEvent, StoredEvent } from "@starcast/core";
import { BulkStatement } from "./bulk-statement.ts";
import { checksum } from "./checksum.ts";
import { CommittedValue } from "./committed-value.ts";
import type { Driver, Statement } from "./driver.ts";
import { readEvents, readEventsSql } from "./event-statements.ts";

/** Which events the log has. */
export interface LogExtent {
  readonly trimmedThrough: number;
  readonly head: number;
  readonly eventsPerLook: number;
}

/**
 * Events of deliveries that the log does not have: of what it has, deliveries need no copy of their own. They get one in
 * the transaction in which the log lets go of an event, or gets a new epoch.
 */
export class EventCopies {
  readonly #epoch: string;
  readonly #log: LogExtent;
  readonly #read: Statement;
  readonly #referenced: Statement;
  readonly #put: BulkStatement;
  readonly #drop: Statement;
  readonly #noCopies: Statement;
  readonly #noDeliveries: Statement;
  readonly #isEmpty: CommittedValue<boolean>;

  constructor(options: { readonly driver: Driver; readonly epoch: string; readonly log: LogExtent }) {
    const { driver } = options;
    this.#epoch = options.epoch;
    this.#log = options.log;
    this.#read = driver.prepare(readEventsSql);
    this.#referenced = driver.prepare(
      `SELECT l.offset FROM events l WHERE l.offset > ? AND l.offset <= ?
        AND EXISTS (SELECT 1 FROM deliveries WHERE event_id = ? || '-' || l.offset) ORDER BY l.offset LIMIT ?`,
    );
    this.#put = new BulkStatement(
      driver,
      6,
      (rows) =>
        `INSERT INTO delivery_events (id, type, subject, timestamp, crc, json) VALUES ${rows} ON CONFLICT (id) DO NOTHING`,
    );
    this.#drop = driver.prepare(
      `DELETE FROM delivery_events WHERE id IN (SELECT value FROM json_each(?))
        AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event_id = delivery_events.id)`,
    );
    this.#noCopies = driver.prepare("SELECT min(id) IS NULL AS is_true FROM delivery_events");
    this.#noDeliveries = driver.prepare("SELECT min(sequence) IS NULL AS is_true FROM deliveries");
    this.#isEmpty = new CommittedValue(this.#isTrue(this.#noCopies));
  }

  /** None: whoever forgets deliveries need not name their events. */
  get isEmpty(): boolean {
    return this.#isEmpty.now;
  }

  /** Whether the log has an event of this id: one id has one content. */
  isInLog(id: string): boolean {
    if (!id.startsWith(this.#epoch) || id[this.#epoch.length] !== "-") return false;
    const text = id.slice(this.#epoch.length + 1);
    const offset = Number(text);
    const { trimmedThrough, head } = this.#log;
    return offset > trimmedThrough && offset <= head && String(offset) === text;
  }

  /** Within a transaction. */
  keep(events: readonly DeliveredEvent[]): void {
    if (events.length === 0) return;
    this.#put.run(events, ({ id, type, subject: given, timestamp, json }, values) => {
      const subject = given ?? null;
      values.push(id, type, subject, timestamp, checksum([id, type, subject, timestamp], json), json);
    });
    this.#isEmpty.now = false;
  }

  /** Within a transaction: those that no delivery needs any more. */
  drop(ids: readonly string[]): void {
    if (this.isEmpty || ids.length === 0) return;
    this.#drop.run(JSON.stringify(ids));
    this.#isEmpty.now = this.#isTrue(this.#noCopies);
  }

  /** Within the transaction in which the log lets go of these: a damaged one gets none, as it can be given to nobody. */
  beforeTrim(after: number, through: number): void {
    if (this.#isTrue(this.#noDeliveries)) return;
    // Where they lie apart, twice as many are looked at.
    const atOnce = Math.ceil(this.#log.eventsPerLook / 2);
    for (let last = after; ;) {
      const offsets = this.#referenced.all(last, through, this.#epoch, atOnce).map((row) => Number(row["offset"]));
      this.keep(this.#eventsAt(offsets));
      last = offsets.at(-1) ?? through;
      if (offsets.length < atOnce) return;
    }
  }

  beforeWork(): void {
    this.#isEmpty.beforeWork();
  }

  onUndone(): void {
    this.#isEmpty.onUndone();
  }

  afterCommit(): void {
    this.#isEmpty.afterCommit();
  }

  rolledBack(): void {
    this.#isEmpty.rolledBack();
  }

  #isTrue(statement: Statement): boolean {
    return statement.get()?.["is_true"] === 1;
  }

  /** In one look where they are close together, and whole; a damaged one is left out. */
  #eventsAt(offsets: readonly number[]): readonly DeliveredEvent[] {
    const [first] = offsets;
    const last = offsets.at(-1);
    if (first === undefined || last === undefined) return [];
    const limit = last - first + 1;
    if (limit <= Math.min(offsets.length * 2, this.#log.eventsPerLook)) {
      const events = readEvents(this.#read, { after: first - 1, through: last, limit });
      const wanted = new Set(offsets);
      if (!events.includes(null))
        return events.flatMap((event) => (event !== null && wanted.has(event.offset) ? [this.#copyOf(event)] : []));
    }
    return offsets.flatMap((offset) => {
      const [event] = readEvents(this.#read, { after: offset - 1, through: offset, limit: 1 });
      return event === null || event === undefined ? [] : [this.#copyOf(event)];
    });
  }

  #copyOf({ offset, type, subject, timestamp, json }: StoredEvent): DeliveredEvent {
    return { id: `${this.#epoch}-${offset}`, type, subject, timestamp, json };
  }
}
