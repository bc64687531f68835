import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import { createInbox, nanos, type Msg, type Subscription } from "@nats-io/transport-node";
import { StarcastError, type Scheduler, type Timer } from "@starcast/core";
import type { NatsLink } from "./nats-link.ts";
import { placeOf, statusOf, type Place } from "./stream-message.ts";

/** What a message was read as. */
export interface Item {
  /** Its sequence in the stream. */
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface ReadingOptions<Read extends Item> {
  readonly link: NatsLink;
  readonly scheduler: Scheduler;
  readonly stream: string;
  readonly timeoutMs: number;
  /** Null for a message to pass over. */
  readonly decode: (message: Msg, place: Place) => Read | null;
}

/**
 * Reads a stream from a place on, page by page: a pull consumer that has asked for the next page while this one is being
 * looked at. One call at a time.
 */
export class PageReader<Read extends Item> {
  readonly #options: ReadingOptions<Read>;
  readonly #consumer: string;
  readonly #inbox = createInbox();
  readonly #subscription: Subscription;
  readonly #forgetClosing: () => void;
  readonly #buffer: Read[] = [];
  /** Messages asked for that have not come. */
  #asked = 0;
  #isAtEnd = false;
  #failure: StarcastError | null = null;
  #onNews: (() => void) | null = null;
  #consumerSequence = 0;
  /** The next message it gives has a greater sequence. */
  after: number;

  private constructor(options: ReadingOptions<Read>, consumer: string, after: number) {
    this.#options = options;
    this.#consumer = consumer;
    this.after = after;
    this.#subscription = options.link.connection.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (error === null) this.#take(message);
      },
    });
    this.#forgetClosing = options.link.onClosing(() => this.close());
  }

  static async open<Read extends Item>(options: ReadingOptions<Read>, after: number): Promise<PageReader<Read>> {
    const { name } = await options.link.manager.consumers.add(options.stream, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: after + 1,
      ack_policy: AckPolicy.None,
      inactive_threshold: nanos(forgottenAfterMs),
      mem_storage: true,
      num_replicas: 1,
    });
    return new PageReader(options, name, after);
  }

  /** The next messages through `through`, up to the limits, at least one if there is one. */
  async next(
    through: number,
    limit: { readonly maxEvents: number; readonly maxBytes: number },
  ): Promise<readonly Read[]> {
    const page: Read[] = [];
    let bytes = 0;
    this.#isAtEnd = false;
    while (page.length < limit.maxEvents && this.after < through) {
      const read = this.#buffer[page.length];
      if (read === undefined) {
        if (this.#failure !== null) throw this.#failure;
        if (this.#isAtEnd) break;
        this.#ask();
        await this.#news();
        continue;
      }
      bytes += read.sizeBytes;
      if (read.offset > through || (bytes > limit.maxBytes && page.length > 0)) break;
      page.push(read);
      this.after = read.offset;
    }
    this.#buffer.splice(0, page.length);
    if (this.#buffer.length < askAtOnce / 2 && this.after < through) this.#ask();
    return page;
  }

  close(): void {
    this.#forgetClosing();
    this.#subscription.unsubscribe();
    this.#failure ??= new StarcastError("log_closed", "Expected an open log, got one that was closed");
    this.#onNews?.();
    // The server would forget it by itself; asked to, it does so now.
    const { link, stream } = this.#options;
    link.manager.consumers.delete(stream, this.#consumer).catch(ignore);
  }

  #ask(): void {
    if (this.#asked > 0 || this.#failure !== null) return;
    this.#asked = askAtOnce;
    const { link, stream } = this.#options;
    link.connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${this.#consumer}`,
      JSON.stringify({ batch: askAtOnce, no_wait: true }),
      { reply: this.#inbox },
    );
  }

  #take(message: Msg): void {
    const place = placeOf(message.reply);
    if (place === null) this.#endOfAnswer(statusOf(message));
    else {
      this.#asked -= 1;
      this.#consumerSequence += 1;
      if (place.consumerSequence !== this.#consumerSequence) this.#failure = interrupted();
      else this.#keep(this.#options.decode(message, place));
    }
    this.#onNews?.();
  }

  #keep(read: Read | null): void {
    if (read !== null) this.#buffer.push(read);
  }

  #endOfAnswer(status: number): void {
    this.#asked = 0;
    // 404 and 408: nothing more to give now. What else is said ends the consumer: 409 it is gone, 503 nobody is there.
    if (status === 404 || status === 408) this.#isAtEnd = true;
    else this.#failure = interrupted();
  }

  async #news(): Promise<void> {
    let timer: Timer | null = null;
    await new Promise<void>((resolve) => {
      this.#onNews = resolve;
      timer = this.#options.scheduler.after(this.#options.timeoutMs, () => {
        this.#failure = new StarcastError("timed_out", "Expected JetStream to give events, got nothing in time");
        resolve();
      });
    });
    this.#onNews = null;
    (timer as Timer | null)?.cancel();
  }
}

/** Messages asked for at once: two pages of the pump, one to give and one on its way. */
const askAtOnce = 512;
const forgottenAfterMs = 30_000;

function interrupted(): StarcastError {
  return new StarcastError("connection_failed", "Expected JetStream to give events, got an interrupted answer");
}

// Gone already, or gone with the connection.
function ignore(): void {}
