import { InvalidOptionError, StarcastError, describe, isStarcastError, type ErrorCode } from "../errors.ts";
import { checkDedupeKey, checkSize, checkSubject, checkType } from "../event/check-draft.ts";
import type { EventDraft } from "../event/event.ts";
import { EarlierEvent, LogEvent, TrimmedEvent } from "../event/log-event.ts";
import { snapshot, utf8Length } from "../event/snapshot.ts";
import type { AnyVocabulary } from "../event/vocabulary.ts";
import type { Appended, EventLog } from "../log/event-log.ts";
import { checkKeys } from "../option-checks.ts";
import type { PublishOptions } from "./subscription.ts";

export interface PublishingOptions {
  readonly log: EventLog;
  readonly vocabulary: AnyVocabulary;
  readonly maxEventBytes: number;
  readonly uncommitted: { readonly maxDrafts: number; readonly maxBytes: number };
  /** False when a tick is on and so much more would push out what it hands over. */
  readonly hasRoomFor: (count: number, sizeBytes: number) => boolean;
  /** The committed event, if memory still holds it. */
  readonly eventAt: (offset: number) => LogEvent | undefined;
  readonly onPublished: (event: LogEvent) => void;
  readonly onRefused: (type: string, code: ErrorCode, message: string) => void;
}

/** One publication of a list. */
export interface ListedPublication extends PublishOptions {
  readonly type: string;
  readonly data: unknown;
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
  publish(type: string, data: unknown, options: PublishOptions): Promise<LogEvent> {
    const { log } = this.#options;
    let draft: EventDraft;
    let appending: Promise<readonly Appended[]>;
    let isWaiting: boolean;
    try {
      draft = this.#draft(type, data, options);
      if (draft.dedupeKey === undefined && canCommit(log)) return Promise.resolve(this.#commit(log, draft));
      this.#checkRoom(1, draft.sizeBytes);
      const headBefore = log.head;
      appending = log.append([draft]);
      isWaiting = this.#occupy(1, draft.sizeBytes, headBefore);
    } catch (error) {
      return this.#rejected([type], error);
    }
    // Hot path: one promise beside the engine's. Whose rejection nobody looks at is quiet only where it rejects.
    const publishing: Promise<LogEvent> = appending.then(
      ([result]) => {
        if (isWaiting) this.#release(1, draft.sizeBytes);
        if (result === undefined || result.isDuplicate) void quiet(publishing);
        return this.#event(draft, result);
      },
      (error: unknown) => {
        if (isWaiting) this.#release(1, draft.sizeBytes);
        void quiet(publishing);
        return this.#rejected([type], error);
      },
    );
    return publishing;
  }

  publishAll(publications: readonly ListedPublication[]): Promise<readonly LogEvent[]> {
    if (!isList(publications)) return this.#rejected(["a list"], notAList(publications));
    if (publications.length === 0) return Promise.resolve([]);
    let types: readonly unknown[] = ["a list"];
    let drafts: readonly EventDraft[];
    let appending: Promise<readonly Appended[]>;
    try {
      types = publications.map(({ type }) => type);
      if (publications.length > 1 && !this.#options.log.isAtomic) {
        throw new StarcastError(
          "unsupported",
          "Expected an engine that commits lists as one, got one that cannot: publish the events one by one",
        );
      }
      drafts = publications.map(({ type, data, ...options }) => this.#draft(type, data, options));
      const bytes = drafts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      appending = this.#append(drafts, bytes);
    } catch (error) {
      return this.#rejected(types, error);
    }
    return quiet(
      appending.then(
        (results) => Promise.all(drafts.map((draft, index) => this.#event(draft, results[index]))),
        (error: unknown) => this.#rejected(types, error),
      ),
    );
  }

  close(): void {
    this.#isClosed = true;
  }

  #draft(type: string, data: unknown, options: PublishOptions): EventDraft {
    if (this.#isClosed) throw new StarcastError("broker_closed", "Expected an open broker, got one that was closed");
    const { vocabulary, maxEventBytes } = this.#options;
    checkType(type);
    if (vocabulary.isClosed && !vocabulary.has(type)) {
      throw new StarcastError(
        "invalid_event_type",
        `Expected an event type of the vocabulary (${vocabulary.types.slice(0, 10).join(", ")}), got \`${type}\``,
      );
    }
    checkOptions(options);
    const valid = vocabulary.validate(type, data);
    const json = snapshot(type, valid);
    const subject = options.subject ?? vocabulary.subjectOf(type, valid);
    checkSubject(subject);
    checkDedupeKey(options.dedupeKey);
    const sizeBytes = type.length + utf8Length(json) + (subject === undefined ? 0 : utf8Length(subject));
    checkSize(type, sizeBytes, maxEventBytes);
    return { type, subject, json, sizeBytes, dedupeKey: options.dedupeKey };
  }

  #checkRoom(count: number, bytes: number): void {
    const { uncommitted, hasRoomFor } = this.#options;
    if (this.#drafts + count > uncommitted.maxDrafts || this.#bytes + bytes > uncommitted.maxBytes) {
      throw new StarcastError(
        "overloaded",
        `Expected at most ${uncommitted.maxDrafts} uncommitted events of ${uncommitted.maxBytes} bytes, got more: await publish, or raise \`uncommitted\``,
      );
    }
    if (!hasRoomFor(count, bytes)) {
      throw new StarcastError(
        "overloaded",
        "Expected at most half of the log to be published from inside `deliver`, got more: publish in a later turn",
      );
    }
  }

  /** Kept by the engine within the call. */
  #commit(log: CommittingLog, draft: EventDraft): LogEvent {
    this.#checkRoom(1, draft.sizeBytes);
    const event = LogEvent.from(log.epoch, log.commit(draft));
    this.#options.onPublished(event);
    return event;
  }

  #append(drafts: readonly EventDraft[], bytes: number): Promise<readonly Appended[]> {
    const { log } = this.#options;
    const count = drafts.length;
    this.#checkRoom(count, bytes);
    const headBefore = log.head;
    const appending = log.append(drafts);
    if (this.#occupy(count, bytes, headBefore)) {
      const release = (): void => this.#release(count, bytes);
      appending.then(release, release);
    }
    return appending;
  }

  /** What an engine commits at once is not waiting; the rest is counted until it is kept or refused. */
  #occupy(count: number, bytes: number, headBefore: number): boolean {
    if (this.#options.log.head - headBefore >= count) return false;
    this.#drafts += count;
    this.#bytes += bytes;
    return true;
  }

  #release(count: number, bytes: number): void {
    this.#drafts -= count;
    this.#bytes -= bytes;
  }

  #event(draft: EventDraft, result: Appended | undefined): LogEvent | Promise<LogEvent> {
    if (result === undefined)
      throw new StarcastError("store_failed", "Expected a place for every event of an append, got none");
    const { position, timestamp, isDuplicate } = result;
    if (isDuplicate) return this.#earlier(draft, result);
    const event =
      this.#options.eventAt(position.offset) ?? new LogEvent(position.epoch, position.offset, timestamp, draft);
    this.#options.onPublished(event);
    return event;
  }

  /** The first event of a dedupe key. Where the log no longer holds it, the draft must not pass for its content. */
  async #earlier(draft: EventDraft, { position, timestamp }: Appended): Promise<LogEvent> {
    const [stored] = await this.#options.log.read(position.offset - 1, { maxEvents: 1, maxBytes: 1 });
    const { epoch, offset } = position;
    return stored?.offset === offset
      ? new EarlierEvent(epoch, offset, timestamp, stored)
      : new TrimmedEvent(epoch, offset, timestamp, draft.type);
  }

  /** Tells the observer; the publisher may look at the rejection or not. */
  #rejected(types: readonly unknown[], error: unknown): Promise<never> {
    const code = isStarcastError(error) ? error.code : "store_failed";
    const message = error instanceof Error ? error.message : "The engine failed";
    // Whatever came in its place may throw when it is made a text.
    for (const type of types)
      this.#options.onRefused(typeof type === "string" ? type.slice(0, 128) : describe(type), code, message);
    return quiet(Promise.reject(error));
  }
}

type CommittingLog = EventLog & Required<Pick<EventLog, "commit">>;

function canCommit(log: EventLog): log is CommittingLog {
  return log.commit !== undefined;
}

// A misspelt `dedupeKey` would publish twice, and nobody would be told. A loop, as this is the hot path.
function checkOptions(options: unknown): void {
  if (typeof options !== "object" || options === null)
    throw new InvalidOptionError({ option: "options", expected: "{ subject?, dedupeKey? }", received: options });
  for (const key in options)
    if (key !== "subject" && key !== "dedupeKey") checkKeys("PublishOptions", options, ["subject", "dedupeKey"]);
}

function isList(publications: unknown): boolean {
  return Array.isArray(publications) && publications.every((each) => typeof each === "object" && each !== null);
}

function notAList(received: unknown): InvalidOptionError {
  return new InvalidOptionError({ option: "publications", expected: "a list of { type, data }", received });
}

/** The publisher may look at a rejection or not: the observer was told, and the process goes on. */
function quiet<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}
