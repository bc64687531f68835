import type { Msg, Subscription } from "@nats-io/transport-node";
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
  type Timer,
} from "@starcast/core";
import { Appending } from "./appending.ts";
import { Echoes, type Awaiting } from "./echoes.ts";
import { describeStream, epochOf, renewalsIn } from "./epoch.ts";
import { decodeEvent } from "./event-message.ts";
import { Feed } from "./feed.ts";
import type { NatsLink } from "./nats-link.ts";
import type { ResolvedJetStreamOptions } from "./options.ts";
import { Pulse } from "./pulse.ts";
import { ReaderPool } from "./reader-pool.ts";
import { StreamLook } from "./stream-look.ts";
import type { Place } from "./stream-message.ts";
import { openStream } from "./stream-setup.ts";
import { TimeText } from "./time-text.ts";

/**
 * The log in a JetStream stream: the sequence is the offset, the time of creation the epoch, and what every process sees
 * comes from the stream itself, its own events too. Nothing comes from it before somebody watches: a process that only
 * publishes knows the head from what it is answered, and looks at the stream once a second.
 */
export class JetStreamEventLog implements EventLog {
  readonly epoch: string;
  readonly durability: Durability;
  readonly isAtomic = false;
  readonly isWatchCostly = true;
  readonly retention: ReadLimit;
  readonly ended: Promise<StarcastError>;
  #end: (error: StarcastError) => void = () => undefined;
  readonly #link: NatsLink;
  readonly #options: ResolvedJetStreamOptions;
  readonly #appending: Appending;
  readonly #readers: ReaderPool<StoredEvent>;
  readonly #watchers = new Watchers();
  readonly #time = new TimeText();
  readonly #renewals: number;
  readonly #look: StreamLook;
  readonly #advisories: Subscription;
  #news: News;
  #head: number;
  #trimmed: number;
  /** Why this log cannot go on: the stream is not the one it was. */
  #broken: StarcastError | null = null;
  /** A place where another event stands than the one that was there. */
  #lostAt: number | null = null;
  #renewing: Timer | null = null;
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
    this.#appending = new Appending({
      link,
      options,
      epoch: this.epoch,
      maxBytes: this.retention.maxBytes,
      head: () => this.#head,
      tailLost: (sequence) => this.#tailLost(sequence),
      arrival: (sequence, awaiting) => this.#arrival(sequence, awaiting),
    });
    this.#readers = new ReaderPool({
      link,
      stream,
      scheduler: surroundings.scheduler,
      timeoutMs: publishTimeoutMs,
      decode: (message, place) => this.#decode(message, place),
    });
    this.#look = new StreamLook({ link, stream, scheduler: surroundings.scheduler });
    // Another process may have found that the tail is lost.
    this.#news = {
      from: new Pulse({ link, scheduler: surroundings.scheduler, ask: () => this.#check() }),
      echoes: null,
    };
    this.#advisories = link.connection.subscribe(`$JS.EVENT.ADVISORY.STREAM.*.${stream}`, {
      callback: () => void this.#check().catch(ignore),
    });
  }

  static async open(link: NatsLink, options: ResolvedJetStreamOptions): Promise<JetStreamEventLog> {
    return new JetStreamEventLog(link, options, await openStream(link.manager, options));
  }

  get head(): number {
    return this.#head;
  }

  get trimmedThrough(): number {
    return this.#trimmed;
  }

  /** False while NATS is away, or says nothing: what is here may be behind. */
  get isReachable(): boolean {
    return !this.#link.isAway && !this.#news.from.isSilent;
  }

  append(drafts: readonly EventDraft[]): Promise<readonly Appended[]> {
    try {
      this.#checkOpen();
      return this.#appending.append(drafts);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async read(after: number, limit: ReadLimit): Promise<readonly StoredEvent[]> {
    this.#checkOpen();
    const from = Math.max(after, this.#trimmed);
    if (from >= this.#head) return [];
    const page = await this.#readers.read(from, this.#head, limit);
    const [first] = page;
    // Retention was here, or others wrote what is no event: the stream says where it begins.
    if (first !== undefined && first.offset > from + 1) await this.#check();
    return page;
  }

  watch(onCommitted: (events: readonly StoredEvent[]) => void): () => void {
    if (this.#news.echoes === null && !this.#isClosed && this.#broken === null && this.#lostAt === null) this.#follow();
    return this.#watchers.add(this.#head, onCommitted);
  }

  async refresh(): Promise<{ readonly trimmedThrough: number; readonly head: number }> {
    this.#checkOpen();
    const info = await this.#check();
    await this.#news.echoes?.reached(info.state.last_seq);
    return { trimmedThrough: this.#trimmed, head: this.#head };
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#renewing?.cancel();
    this.#advisories.unsubscribe();
    this.#look.close();
    this.#appending.close();
    this.#news.from.close();
    this.#news.echoes?.close();
    this.#readers.close();
    this.#watchers.clear();
    return Promise.resolve();
  }

  /** Nothing more is appended or read: what belongs to the log is not what it was. Gives the first reason there was. */
  end(error: StarcastError): StarcastError {
    this.#broken ??= error;
    this.#appending.close();
    this.#news.from.close();
    this.#news.echoes?.close();
    this.#end(this.#broken);
    return this.#broken;
  }

  /** From here on the head moves with what comes, so that it is never ahead of who watches. */
  #follow(): void {
    const { stream, surroundings, publishTimeoutMs } = this.#options;
    const after = this.#head;
    this.#news.from.close();
    this.#news = {
      echoes: new Echoes({ surroundings, timeoutMs: publishTimeoutMs, newest: after }),
      from: Feed.start({
        link: this.#link,
        stream,
        scheduler: surroundings.scheduler,
        after,
        onMessage: (message, place) => this.#committed(message, place),
        onRestarted: () => void this.#check().catch(ignore),
        onReplaced: () => void this.#tailLost(this.#head),
      }),
    };
  }

  #decode(message: Msg, { sequence }: Place): StoredEvent | null {
    return decodeEvent(message.data, sequence, this.#time);
  }

  #committed(message: Msg, place: Place): void {
    const { sequence } = place;
    const event = this.#decode(message, place);
    if (sequence > this.#head + 1) this.#trimmed = Math.max(this.#trimmed, sequence - 1);
    this.#head = sequence;
    // What others wrote to the stream is a place without an event: the next one shows that it is missing.
    if (event !== null) {
      this.#appending.saw(sequence, event.timestamp);
      this.#watchers.tell([event]);
    }
    this.#news.echoes?.came(sequence);
  }

  #arrival(sequence: number, awaiting: Awaiting): void {
    const { echoes } = this.#news;
    if (echoes !== null) return echoes.await(sequence, awaiting);
    this.#head = Math.max(this.#head, sequence);
    awaiting.came();
  }

  /** Looks at the stream: it must be the one it was, with at least what was seen of it. */
  async #check(): Promise<StreamInfo> {
    const { stream } = this.#options;
    // What comes while the question is on its way may be newer than the answer.
    const seen = this.#head;
    const info = await this.#look.take(seen);
    this.#trimmed = Math.max(this.#trimmed, trimmedThrough(info));
    if (epochOf(info.created, renewalsIn(info.config.description)) !== this.epoch) throw this.#break("another stream");
    if (info.state.last_seq >= seen && this.#lostAt === null) {
      if (this.#news.echoes === null) this.#head = Math.max(this.#head, info.state.last_seq);
      return info;
    }
    // Acknowledged events are gone, after a power cut or with a restored snapshot. Who opens the stream from now on
    // must not give their ids to others.
    await this.#link.manager.streams.update(stream, { description: describeStream(this.#renewals + 1) });
    throw this.#break(
      this.#lostAt === null ? `one that ends at ${info.state.last_seq} instead of ${seen}` : replaced(this.#lostAt),
    );
  }

  /**
   * It has grown again since: what it says of its end would not show it. Nothing more is sent, and who opens the stream
   * from now on finds another epoch, as soon as the stream can be told.
   */
  #tailLost(sequence: number): StarcastError {
    if (this.#lostAt === null) {
      this.#lostAt = sequence;
      this.#appending.close();
      this.#news.from.close();
      this.#renew();
    }
    return this.#corrupt(replaced(sequence));
  }

  #renew(): void {
    this.#check().catch(() => {
      if (this.#broken === null && !this.#isClosed)
        this.#renewing = this.#options.surroundings.scheduler.after(renewEveryMs, () => this.#renew());
    });
  }

  #break(what: string): StarcastError {
    return this.end(this.#corrupt(what));
  }

  #corrupt(what: string): StarcastError {
    return new StarcastError(
      "store_corrupt",
      `Expected stream \`${this.#options.stream}\` as it was, got ${what}: end the process and open the store again, it begins a new epoch`,
    );
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StarcastError("log_closed", "Expected an open log, got one that was closed");
    if (this.#broken !== null) throw this.#broken;
    if (this.#lostAt !== null) throw this.#corrupt(replaced(this.#lostAt));
  }
}

/** Where news of the stream comes from: looked for while nobody watches, and given, own events too, once somebody does. */
interface News {
  readonly from: Pulse | Feed;
  readonly echoes: Echoes | null;
}

/** The last sequence that retention took; an empty stream says that it begins behind its end. */
function trimmedThrough({ state }: StreamInfo): number {
  return state.messages === 0 ? state.last_seq : Math.max(0, state.first_seq - 1);
}

function replaced(sequence: number): string {
  return `another event at ${sequence}`;
}

const renewEveryMs = 1_000;

function orInfinity(limit: number): number {
  return limit > 0 ? limit : Infinity;
}

// Told by the next call that needs the stream.
function ignore(): void {}
