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
  #bufferBytes = 0;
  /** Messages asked for that have not come. */
  #asked = 0;
  /** The next message alone is more than is asked for at once. */
  #isHuge = false;
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
    for (const { sizeBytes } of this.#buffer.splice(0, page.length)) this.#bufferBytes -= sizeBytes;
    const isShort = this.#buffer.length < askAtOnce / 2 && this.#bufferBytes < bytesAtOnce / 2;
    if (isShort && this.after < through) this.#ask();
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
    this.#asked = this.#isHuge ? 1 : askAtOnce;
    const { link, stream } = this.#options;
    const limit = this.#isHuge ? {} : { max_bytes: bytesAtOnce };
    this.#isHuge = false;
    link.connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.${this.#consumer}`,
      JSON.stringify({ batch: this.#asked, no_wait: true, ...limit }),
      { reply: this.#inbox },
    );
  }

  #take(message: Msg): void {
    const place = placeOf(message.reply);
    if (place === null) this.#endOfAnswer(message);
    else {
      this.#asked -= 1;
      this.#consumerSequence += 1;
      if (place.consumerSequence !== this.#consumerSequence) this.#failure = interrupted();
      else this.#keep(this.#options.decode(message, place));
    }
    this.#onNews?.();
  }

  #keep(read: Read | null): void {
    if (read === null) return;
    this.#buffer.push(read);
    this.#bufferBytes += read.sizeBytes;
  }

  #endOfAnswer(message: Msg): void {
    const status = statusOf(message);
    // 404 and 408: nothing more to give now. 409: the next message is too much, or, as what else is said, the end of the
    // consumer: 503 nobody is there.
    if (status === 404 || status === 408) this.#isAtEnd = true;
    else if (status === 409 && message.headers?.description.includes("MaxBytes") === true)
      this.#isHuge = this.#asked === askAtOnce;
    else this.#failure = interrupted();
    this.#asked = 0;
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
/** Bytes asked for at once, however many messages that is; a larger message comes alone. */
const bytesAtOnce = 8_388_608;
const forgottenAfterMs = 30_000;

function interrupted(): StarcastError {
  return new StarcastError("connection_failed", "Expected JetStream to give events, got an interrupted answer");
}

// Gone already, or gone with the connection.
function ignore(): void {}
