import { StarcastError, isStarcastError, type ErrorCode } from "../errors.ts";
import { checkDedupeKey, checkSize, checkSubject, checkType } from "../event/check-draft.ts";
import type { EventDraft } from "../event/event.ts";
import { EarlierEvent, LogEvent } from "../event/log-event.ts";
import { snapshot, utf8Length } from "../event/snapshot.ts";
import type { AnyVocabulary } from "../event/vocabulary.ts";
import type { Appended, EventLog } from "../log/event-log.ts";
import type { PublishOptions } from "./subscription.ts";

export interface PublishingOptions {
  readonly log: EventLog;
  readonly vocabulary: AnyVocabulary;
  readonly maxEventBytes: number;
  readonly uncommitted: { readonly maxDrafts: number; readonly maxBytes: number };
  /** False when a tick is on and so much more would push out what it hands over. */
  readonly hasRoomFor: (count: number, sizeBytes: number) => boolean;
  readonly onPublished: (event: LogEvent) => void;
  readonly onRefused: (type: string, code: ErrorCode, message: string) => void;
}

/** One publication before it is checked. */
export interface Publication {
  readonly type: string;
  readonly data: unknown;
  readonly options: PublishOptions;
}

/** From what a publisher says to a committed event: checked, snapshotted, appended; refused with a typed error. */
export class Publishing {
  readonly #options: PublishingOptions;
  #drafts = 0;
  #bytes = 0;
  #isClosed = false;

  constructor(options: PublishingOptions) {
    this.#options = options;
  }

  /** Rejects, never throws; a rejection nobody looks at is told to the observer only. */
  publish(publication: Publication): Promise<LogEvent> {
    const committed = this.#commit([publication]).then(([event]) => event as LogEvent);
    // The publisher may not care; the observer knows.
    committed.catch(ignore);
    return committed;
  }

  publishAll(publications: readonly Publication[]): Promise<readonly LogEvent[]> {
    const committed = this.#commitAll(publications);
    committed.catch(ignore);
    return committed;
  }

  close(): void {
    this.#isClosed = true;
  }

  #commitAll(publications: readonly Publication[]): Promise<readonly LogEvent[]> {
    if (publications.length === 0) return Promise.resolve([]);
    if (publications.length > 1 && !this.#options.log.isAtomic) {
      return Promise.reject(this.#refused(publications, new StarcastError("unsupported", "Expected an engine that commits lists as one, got one that cannot: publish the events one by one")));
    }
    return this.#commit(publications);
  }

  #commit(publications: readonly Publication[]): Promise<readonly LogEvent[]> {
    let drafts: readonly EventDraft[];
    let appended: Promise<readonly Appended[]>;
    const { log } = this.#options;
    const headBefore = log.head;
    try {
      drafts = publications.map((publication) => this.#draft(publication));
      this.#checkRoom(drafts);
      appended = log.append(drafts);
    } catch (error) {
      return Promise.reject(this.#refused(publications, error));
    }
    // What an engine commits at once is not waiting; the others are counted until they are kept.
    const release = log.head - headBefore >= drafts.length ? ignore : this.#occupy(drafts);
    return appended.then(
      (results) => {
        release();
        return this.#events(drafts, results);
      },
      (error: unknown) => {
        release();
        throw this.#refused(publications, error);
      },
    );
  }

  #draft({ type, data, options }: Publication): EventDraft {
    if (this.#isClosed) throw new StarcastError("broker_closed", "Expected an open broker, got one that was closed");
    const { vocabulary, maxEventBytes } = this.#options;
    checkType(type);
    if (vocabulary.isClosed && !vocabulary.has(type)) {
      throw new StarcastError("invalid_event_type", `Expected an event type of the vocabulary (${vocabulary.types.slice(0, 10).join(", ")}), got \`${type}\``);
    }
    const valid = vocabulary.validate(type, data);
    const json = snapshot(type, valid);
    const subject = options.subject ?? vocabulary.subjectOf(type, valid);
    checkSubject(subject);
    checkDedupeKey(options.dedupeKey);
    const sizeBytes = type.length + utf8Length(json) + (subject === undefined ? 0 : utf8Length(subject));
    checkSize(type, sizeBytes, maxEventBytes);
    return { type, subject, json, sizeBytes, dedupeKey: options.dedupeKey };
  }

  #checkRoom(drafts: readonly EventDraft[]): void {
    const { uncommitted, hasRoomFor } = this.#options;
    const bytes = sumBytes(drafts);
    if (this.#drafts + drafts.length > uncommitted.maxDrafts || this.#bytes + bytes > uncommitted.maxBytes) {
      throw new StarcastError("overloaded", `Expected at most ${uncommitted.maxDrafts} uncommitted events of ${uncommitted.maxBytes} bytes, got more: await publish, or raise \`uncommitted\``);
    }
    if (!hasRoomFor(drafts.length, bytes)) {
      throw new StarcastError("overloaded", "Expected at most half of the log to be published from inside `deliver`, got more: publish in a later turn");
    }
  }

  #occupy(drafts: readonly EventDraft[]): () => void {
    const bytes = sumBytes(drafts);
    this.#drafts += drafts.length;
    this.#bytes += bytes;
    return () => {
      this.#drafts -= drafts.length;
      this.#bytes -= bytes;
    };
  }

  async #events(drafts: readonly EventDraft[], results: readonly Appended[]): Promise<readonly LogEvent[]> {
    const events: LogEvent[] = [];
    for (const [index, draft] of drafts.entries()) {
      const result = results[index];
      if (result === undefined) throw new StarcastError("store_failed", `Expected ${drafts.length} results of an append, got ${results.length}`);
      events.push(result.isDuplicate ? await this.#earlier(draft, result) : this.#published(draft, result));
    }
    return events;
  }

  #published(draft: EventDraft, { position, timestamp }: Appended): LogEvent {
    const event = new LogEvent(position.epoch, position.offset, timestamp, draft);
    this.#options.onPublished(event);
    return event;
  }

  /** The first event of a dedupe key; what the log no longer holds is taken from the draft. */
  async #earlier(draft: EventDraft, { position, timestamp }: Appended): Promise<LogEvent> {
    const [stored] = await this.#options.log.read(position.offset - 1, { maxEvents: 1, maxBytes: 1 });
    return new EarlierEvent(position.epoch, position.offset, timestamp, stored?.offset === position.offset ? stored : draft);
  }

  #refused(publications: readonly Publication[], error: unknown): unknown {
    const code = isStarcastError(error) ? error.code : "store_failed";
    const message = error instanceof Error ? error.message : "The engine failed";
    for (const { type } of publications) this.#options.onRefused(String(type).slice(0, 128), code, message);
    return error;
  }
}

function sumBytes(drafts: readonly EventDraft[]): number {
  return drafts.reduce((bytes, { sizeBytes }) => bytes + sizeBytes, 0);
}

function ignore(): void {}
