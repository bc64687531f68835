import { headers, type Msg, type MsgHdrs, type Subscription } from "@nats-io/transport-node";
import type { StreamInfo } from "@nats-io/jetstream";
import {
  StarcastError,
  Watchers,
  type Appended,
  type Durability,
  type EventDraft,
  type EventLog,
  type ReadLimit,
  type StoredEvent,
} from "@starcast/core";
import { AckedPublisher, type Outgoing } from "./acked-publisher.ts";
import { Echoes } from "./echoes.ts";
import { describeStream, epochOf, renewalsIn } from "./epoch.ts";
import { decodeEvent, encodeEvent } from "./event-message.ts";
import { Feed } from "./feed.ts";
import { toStoreError } from "./nats-error.ts";
import type { NatsLink } from "./nats-link.ts";
import type { ResolvedJetStreamOptions } from "./options.ts";
import { ReaderPool } from "./reader-pool.ts";
import { TimeText, type Place } from "./stream-message.ts";
import { openStream, subjectOf } from "./stream-setup.ts";

/**
 * The log in a JetStream stream: the sequence is the offset, the time of creation the epoch, and what every process sees
 * comes from the stream itself, its own events too.
 */
export class JetStreamEventLog implements EventLog {
  readonly epoch: string;
  readonly durability: Durability;
  readonly isAtomic = false;
  readonly retention: ReadLimit;
  readonly ended: Promise<StarcastError>;
  #end: (error: StarcastError) => void = () => undefined;
  readonly #link: NatsLink;
  readonly #options: ResolvedJetStreamOptions;
  readonly #publisher: AckedPublisher;
  readonly #readers: ReaderPool<StoredEvent>;
  readonly #echoes: Echoes;
  readonly #watchers = new Watchers();
  readonly #time = new TimeText();
  readonly #renewals: number;
  readonly #advisories: Subscription;
  #feed: Feed | null = null;
  #head: number;
  #trimmed: number;
  /** Why this log cannot go on: the stream is not the one it was. */
  #broken: StarcastError | null = null;
  #isClosed = false;

  private constructor(link: NatsLink, options: ResolvedJetStreamOptions, info: StreamInfo) {
    const { stream, surroundings, publishTimeoutMs } = options;
    const { max_msgs: maxEvents, max_bytes: maxBytes } = info.config;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#link = link;
    this.#options = options;
    this.#renewals = renewalsIn(info.config.description);
    this.epoch = epochOf(info.created, this.#renewals);
    this.durability = options.durability;
    this.retention = { maxEvents: orInfinity(maxEvents), maxBytes: orInfinity(maxBytes) };
    this.#head = info.state.last_seq;
    this.#trimmed = trimmedThrough(info);
    this.#echoes = new Echoes({ surroundings, timeoutMs: publishTimeoutMs, newest: this.#head });
    this.#publisher = new AckedPublisher({
      link,
      surroundings,
      // One that must know what came before sends one at a time.
      maxInFlight: options.isSingleWriter ? 1 : options.maxInFlight,
      timeoutMs: publishTimeoutMs,
      whileAway: options.whileAway,
    });
    this.#readers = new ReaderPool({
      link,
      stream,
      scheduler: surroundings.scheduler,
      timeoutMs: publishTimeoutMs,
      decode: (message, place) => this.#decode(message, place),
    });
    // Another process may have found that the tail is lost.
    this.#advisories = link.connection.subscribe(`$JS.EVENT.ADVISORY.STREAM.*.${stream}`, {
      callback: () => void this.#check().catch(ignore),
    });
  }

  static async open(link: NatsLink, options: ResolvedJetStreamOptions): Promise<JetStreamEventLog> {
    const log = new JetStreamEventLog(link, options, await openStream(link.manager, options));
    try {
      log.#feed = await Feed.open({
        link,
        stream: options.stream,
        scheduler: options.surroundings.scheduler,
        after: log.#head,
        onMessage: (message, place) => log.#committed(message, place),
        onRestarted: () => void log.#check().catch(ignore),
      });
      return log;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  get head(): number {
    return this.#head;
  }

  get trimmedThrough(): number {
    return this.#trimmed;
  }

  /** False while NATS is away, or says nothing: what is here may be behind. */
  get isReachable(): boolean {
    return !this.#link.isAway && this.#feed?.isSilent !== true;
  }

  async append(drafts: readonly EventDraft[]): Promise<readonly Appended[]> {
    this.#checkOpen();
    const subject = subjectOf(this.#options.stream);
    const payloads = drafts.map((draft) => encodeEvent(draft));
    for (const { length } of payloads) this.#checkFits(length);
    const appending = drafts.map(({ dedupeKey }, index) =>
      this.#appendOne({
        subject,
        payload: payloads[index] ?? nothing,
        headers: this.#options.isSingleWriter || dedupeKey !== undefined ? () => this.#headersOf(dedupeKey) : undefined,
      }),
    );
    const [only] = appending;
    if (appending.length === 1 && only !== undefined) return [await only];
    const results = await Promise.allSettled(appending);
    return results.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
  }

  async read(after: number, limit: ReadLimit): Promise<readonly StoredEvent[]> {
    this.#checkOpen();
    const from = Math.max(after, this.#trimmed);
    if (from >= this.#head) return [];
    const page = await this.#readers.read(from, this.#head, limit);
    const [first] = page;
    // Nothing is ever deleted: where the stream begins later than asked, retention was here.
    if (first !== undefined && first.offset > from + 1) this.#trimmed = Math.max(this.#trimmed, first.offset - 1);
    return page;
  }

  watch(onCommitted: (events: readonly StoredEvent[]) => void): () => void {
    return this.#watchers.add(this.#head, onCommitted);
  }

  async refresh(): Promise<{ readonly trimmedThrough: number; readonly head: number }> {
    this.#checkOpen();
    const info = await this.#check();
    await this.#echoes.reached(info.state.last_seq);
    return { trimmedThrough: this.#trimmed, head: this.#head };
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#advisories.unsubscribe();
    this.#publisher.close();
    this.#feed?.close();
    this.#readers.close();
    this.#echoes.close();
    this.#watchers.clear();
    return Promise.resolve();
  }

  #decode(message: Msg, { sequence, storedAt }: Place): StoredEvent {
    return decodeEvent(message.data, sequence, this.#time.of(storedAt));
  }

  #committed(message: Msg, place: Place): void {
    const { sequence } = place;
    const event = this.#decode(message, place);
    if (sequence > this.#head + 1) this.#trimmed = Math.max(this.#trimmed, sequence - 1);
    this.#head = sequence;
    this.#watchers.tell([event]);
    this.#echoes.came(sequence, event.timestamp);
  }

  async #appendOne(outgoing: Outgoing): Promise<Appended> {
    try {
      const { sequence, isDuplicate } = await this.#publisher.publish(outgoing);
      const timestamp = (await this.#echoes.reached(sequence)) ?? (await this.#timestampAt(sequence));
      return { position: { epoch: this.epoch, offset: sequence }, timestamp, isDuplicate };
    } catch (error) {
      throw this.#toAppendError(error);
    }
  }

  /** Of an event that came long ago: the first of a dedupe key. */
  async #timestampAt(sequence: number): Promise<string> {
    const [event] = await this.read(sequence - 1, { maxEvents: 1, maxBytes: 1 });
    return event?.offset === sequence ? event.timestamp : this.#time.of(this.#options.surroundings.clock.now());
  }

  #headersOf(dedupeKey: string | undefined): MsgHdrs {
    const { isSingleWriter } = this.#options;
    const lines = headers();
    if (dedupeKey !== undefined) lines.set("Nats-Msg-Id", encodeURIComponent(dedupeKey));
    if (isSingleWriter) lines.set("Nats-Expected-Last-Sequence", String(Math.max(this.#head, this.#publisher.newest)));
    return lines;
  }

  #toAppendError(error: unknown): StarcastError {
    const failure = toStoreError(error, "append to the stream");
    if (failure.code !== "stale_claim") return failure;
    return new StarcastError(
      "store_locked",
      `Expected to be the only writer of stream \`${this.#options.stream}\` (isSingleWriter), got an event of another`,
    );
  }

  /** Looks at the stream: it must be the one it was, with at least what was seen of it. */
  async #check(): Promise<StreamInfo> {
    const { stream } = this.#options;
    // What comes while the question is on its way may be newer than the answer.
    const seen = this.#head;
    let info: StreamInfo;
    try {
      info = await this.#link.manager.streams.info(stream);
    } catch (error) {
      throw toStoreError(error, `look at stream \`${stream}\``);
    }
    this.#trimmed = Math.max(this.#trimmed, trimmedThrough(info));
    if (epochOf(info.created, renewalsIn(info.config.description)) !== this.epoch) throw this.#break("another stream");
    if (info.state.last_seq >= seen) return info;
    // Acknowledged events are gone, after a power cut or with a restored snapshot. Who opens the stream from now on
    // must not give their ids to others.
    await this.#link.manager.streams.update(stream, { description: describeStream(this.#renewals + 1) });
    throw this.#break(`one that ends at ${info.state.last_seq} instead of ${seen}`);
  }

  #break(what: string): StarcastError {
    this.#broken ??= new StarcastError(
      "store_corrupt",
      `Expected stream \`${this.#options.stream}\` as it was, got ${what}: end the process and open the store again, it begins a new epoch`,
    );
    this.#publisher.close();
    this.#end(this.#broken);
    return this.#broken;
  }

  // JetStream acknowledges what is larger than all it may keep, and drops it at once.
  #checkFits(bytes: number): void {
    if (bytes <= this.retention.maxBytes / 2) return;
    throw new StarcastError(
      "event_too_large",
      `Expected events of at most half of what the stream keeps (${this.retention.maxBytes} bytes), got ${bytes}`,
    );
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StarcastError("log_closed", "Expected an open log, got one that was closed");
    if (this.#broken !== null) throw this.#broken;
  }
}

/** The last sequence that retention took; an empty stream says that it begins behind its end. */
function trimmedThrough({ state }: StreamInfo): number {
  return state.messages === 0 ? state.last_seq : Math.max(0, state.first_seq - 1);
}

const nothing = new Uint8Array(0);

function orInfinity(limit: number): number {
  return limit > 0 ? limit : Infinity;
}

// Told by the next call that needs the stream.
function ignore(): void {}
