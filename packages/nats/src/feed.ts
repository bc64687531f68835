import { AckPolicy, DeliverPolicy } from "@nats-io/jetstream";
import { createInbox, nanos, type Msg, type Subscription } from "@nats-io/transport-node";
import type { Scheduler, Timer } from "@starcast/core";
import { toStoreError } from "./nats-error.ts";
import type { NatsLink } from "./nats-link.ts";
import { placeOf, statusOf, type Place } from "./stream-message.ts";

export interface FeedOptions {
  readonly link: NatsLink;
  readonly scheduler: Scheduler;
  readonly stream: string;
  /** The sequence after which it begins. */
  readonly after: number;
  readonly onMessage: (message: Msg, place: Place) => void;
  /** Something was lost on the way, or NATS was away: the feed begins again behind what it has given. */
  readonly onRestarted?: (() => void) | undefined;
  /** Where the newest message stood that was given, another stands now: the stream lost its tail, and has grown again. */
  readonly onReplaced?: (() => void) | undefined;
}

/**
 * Every message of a stream after a place: in order, each once, as long as the stream has it. An ephemeral push consumer
 * that is made anew whenever it fell silent, skipped a number, or the connection was lost.
 */
export class Feed {
  readonly #options: FeedOptions;
  readonly #forgetBack: () => void;
  #through: number;
  /** When the newest that was here was stored; begun again, the feed looks at it once more. */
  #storedAt: string | null = null;
  #life = 0;
  #subscription: Subscription | null = null;
  #consumerSequence = 0;
  #heardOf = false;
  #watchdog: Timer | null = null;
  #retry: Timer | null = null;
  #failures = 0;
  #isSilent = false;
  /** Looks in a row at which nothing had come, since it last began. */
  #silences = 0;
  #isClosed = false;

  private constructor(options: FeedOptions) {
    this.#options = options;
    this.#through = options.after;
    this.#forgetBack = options.link.onBack(() => this.#restart());
  }

  /** Resolves when JetStream has begun to send. */
  static async open(options: FeedOptions): Promise<Feed> {
    const feed = new Feed(options);
    try {
      await feed.#begin();
      return feed;
    } catch (error) {
      feed.close();
      throw toStoreError(error, `follow stream \`${options.stream}\``);
    }
  }

  /** As `open`, but begins by itself, and tries again for as long as it takes. */
  static start(options: FeedOptions): Feed {
    const feed = new Feed(options);
    feed.#tryToBegin();
    return feed;
  }

  /** The newest sequence it has given. */
  get through(): number {
    return this.#through;
  }

  /** True from when JetStream fell silent until it sends again: the server stands still, or the stream has no leader. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  close(): void {
    this.#isClosed = true;
    this.#life += 1;
    this.#forgetBack();
    this.#watchdog?.cancel();
    this.#retry?.cancel();
    this.#subscription?.unsubscribe();
  }

  async #begin(): Promise<void> {
    const { link, stream } = this.#options;
    const life = (this.#life += 1);
    this.#subscription?.unsubscribe();
    this.#consumerSequence = 0;
    const inbox = createInbox();
    this.#subscription = link.connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null && life === this.#life) this.#take(message);
      },
    });
    this.#watch();
    await link.manager.consumers.add(stream, {
      deliver_subject: inbox,
      deliver_policy: DeliverPolicy.StartSequence,
      // The newest there was is looked at once more: it must be what it was.
      opt_start_seq: Math.max(1, this.#through),
      ack_policy: AckPolicy.None,
      // Back-pressure towards the server, and a sign of life when nothing happens.
      flow_control: true,
      idle_heartbeat: nanos(heartbeatMs),
      inactive_threshold: nanos(forgottenAfterMs),
      mem_storage: true,
      num_replicas: 1,
    });
    this.#failures = 0;
    this.#isSilent = false;
    if (life !== this.#life) return;
    this.#silences = 0;
    this.#watch();
  }

  #take(message: Msg): void {
    this.#heardOf = true;
    const place = placeOf(message.reply);
    if (place === null) return this.#answerStatus(message);
    this.#consumerSequence += 1;
    if (place.consumerSequence !== this.#consumerSequence) return this.#restart();
    if (place.sequence <= this.#through) {
      if (place.sequence < this.#through) return;
      this.#storedAt ??= place.storedAt;
      if (place.storedAt !== this.#storedAt) this.#options.onReplaced?.();
      return;
    }
    this.#through = place.sequence;
    this.#storedAt = place.storedAt;
    this.#options.onMessage(message, place);
  }

  #answerStatus(message: Msg): void {
    if (statusOf(message) !== 100) return;
    // A heartbeat says how far the consumer is: what it sent before and we have not seen is lost.
    const last = Number(message.headers?.get("Nats-Last-Consumer") || NaN);
    const stalled = message.headers?.get("Nats-Consumer-Stalled") ?? "";
    if (stalled !== "") this.#options.link.connection.publish(stalled);
    else if (message.reply !== undefined && message.reply !== "") message.respond();
    if (last > this.#consumerSequence) this.#restart();
  }

  #watch(): void {
    this.#watchdog?.cancel();
    this.#heardOf = false;
    const { scheduler } = this.#options;
    // If it was this process that stood still, what came meanwhile is read first.
    const patienceMs = silenceMs * 2 ** Math.min(3, Math.max(0, this.#silences - 2));
    this.#watchdog = scheduler.after(patienceMs, () => scheduler.nextTurn(() => this.#look()));
  }

  #look(): void {
    if (this.#isClosed) return;
    this.#silences = this.#heardOf ? 0 : this.#silences + 1;
    if (this.#heardOf) return this.#watch();
    this.#isSilent = true;
    this.#restart();
  }

  #restart(): void {
    if (this.#isClosed || this.#retry !== null) return;
    // What the old consumer still sends belongs to a life that is over.
    this.#life += 1;
    const { scheduler, onRestarted } = this.#options;
    const waitMs = this.#failures === 0 ? 0 : Math.min(maxRetryMs, 50 * 2 ** Math.min(this.#failures, 10));
    this.#retry = scheduler.after(waitMs, () => {
      this.#retry = null;
      this.#tryToBegin(onRestarted);
    });
  }

  #tryToBegin(onBegun?: () => void): void {
    this.#begin().then(
      () => onBegun?.(),
      () => {
        // No leader yet, or the connection is lost again: tried until closed.
        this.#failures += 1;
        this.#restart();
      },
    );
  }
}

const heartbeatMs = 500;
/** Longer after some in vain: JetStream may take longer than this to begin. */
const silenceMs = 2_000;
const maxRetryMs = 2_000;
/** After so long without a listener the server forgets the consumer. */
const forgottenAfterMs = 30_000;
