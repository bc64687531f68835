import { StarcastError } from "../errors.ts";
import type { Encoding } from "../encoding/encoding.ts";
import type { Event, StoredEvent } from "./event.ts";

const unparsed: unique symbol = Symbol("unparsed");

/**
 * A committed event in memory: immutable, its `data` parsed and its bytes made on first need, then kept.
 * What the pump hands to every subscriber; an engine's `StoredEvent` plus its epoch.
 */
export class LogEvent implements Event, StoredEvent {
  readonly epoch: string;
  readonly offset: number;
  readonly type: string;
  readonly subject: string | undefined;
  readonly timestamp: string;
  readonly json: string;
  readonly sizeBytes: number;
  #data: unknown = unparsed;
  #encoding: Encoding | undefined;
  #bytes: Uint8Array | undefined;
  #further: Map<Encoding, Uint8Array> | undefined;

  constructor(epoch: string, offset: number, timestamp: string, draft: Omit<StoredEvent, "offset" | "timestamp">) {
    this.epoch = epoch;
    this.offset = offset;
    this.type = draft.type;
    this.subject = draft.subject;
    this.timestamp = timestamp;
    this.json = draft.json;
    this.sizeBytes = draft.sizeBytes;
  }

  /** The same object when it already is one of this epoch, as the in-memory engine's are. */
  static from(epoch: string, stored: StoredEvent): LogEvent {
    if (stored instanceof LogEvent && stored.epoch === epoch) return stored;
    return new LogEvent(epoch, stored.offset, stored.timestamp, stored);
  }

  /** True when publishing met an earlier event with the same dedupe key: this one. */
  get isDuplicate(): boolean {
    return false;
  }

  /** True when that earlier event has left the log: then `data` throws `events_missed`. */
  get isTrimmed(): boolean {
    return false;
  }

  get id(): string {
    return `${this.epoch}-${this.offset}`;
  }

  get data(): unknown {
    if (this.#data === unparsed) this.#data = deepFreeze(JSON.parse(this.json));
    return this.#data;
  }

  /** The event in this encoding; shared by everybody. */
  bytes(encoding: Encoding): Uint8Array {
    // One encoding is the common case, and a field costs a tenth of a map.
    if (this.#encoding === encoding && this.#bytes !== undefined) return this.#bytes;
    const made = this.#further?.get(encoding);
    if (made !== undefined) return made;
    const bytes = encoding.encode(this);
    if (this.#encoding === undefined) {
      this.#encoding = encoding;
      this.#bytes = bytes;
    } else {
      this.#further ??= new Map();
      this.#further.set(encoding, bytes);
    }
    return bytes;
  }

  /** The next to ask for bytes makes them again. */
  forgetBytes(): void {
    this.#encoding = undefined;
    this.#bytes = undefined;
    this.#further = undefined;
  }

  toJSON(): Event {
    const { id, type, timestamp, subject, data } = this;
    return subject === undefined ? { id, type, timestamp, data } : { id, type, timestamp, subject, data };
  }
}

/** What publishing again under the same dedupe key returns: the first event. */
export class EarlierEvent extends LogEvent {
  override get isDuplicate(): boolean {
    return true;
  }
}

/** The same when the log no longer holds the first event: its place is known, its content is not. */
export class TrimmedEvent extends EarlierEvent {
  constructor(epoch: string, offset: number, timestamp: string, type: string) {
    super(epoch, offset, timestamp, { type, subject: undefined, json: "null", sizeBytes: 0 });
  }

  override get isTrimmed(): boolean {
    return true;
  }

  override get data(): unknown {
    throw new StarcastError(
      "events_missed",
      `Expected the event ${this.id} to be still in the log, got one that was trimmed: read \`data\` only where \`isTrimmed\` is false`,
    );
  }
}

// Iterative: data may be as deep as JSON.parse allows, which is deeper than a recursive walk.
function deepFreeze(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const waiting: object[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    Object.freeze(next);
    for (const child of Object.values(next)) if (typeof child === "object" && child !== null) waiting.push(child);
  }
  return value;
}
