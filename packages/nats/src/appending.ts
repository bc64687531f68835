import { headers, type MsgHdrs } from "@nats-io/transport-node";
import { StarcastError, type Appended, type EventDraft } from "@starcast/core";
import { AckedPublisher } from "./acked-publisher.ts";
import type { Awaiting } from "./echoes.ts";
import { decodeEvent, encodeEvent } from "./event-message.ts";
import { isAbsent, toStoreError } from "./nats-error.ts";
import type { NatsLink } from "./nats-link.ts";
import type { ResolvedJetStreamOptions } from "./options.ts";
import { OwnEvent, type OwnEventHome } from "./own-event.ts";
import { PublishAnswers } from "./publish-answer.ts";
import { RecentTimes } from "./recent-times.ts";
import { subjectOf } from "./stream-setup.ts";
import { TimeText } from "./time-text.ts";

export interface AppendingOptions {
  readonly link: NatsLink;
  readonly options: ResolvedJetStreamOptions;
  readonly epoch: string;
  /** What the stream keeps at most. */
  readonly maxBytes: number;
  /** The newest sequence known here. */
  readonly head: () => number;
  readonly arrival: OwnEventHome["arrival"];
  readonly tailLost: OwnEventHome["tailLost"];
}

/** The way from drafts to their places in the stream: sent in order, acknowledged, known here. */
export class Appending implements OwnEventHome {
  readonly epoch: string;
  readonly #context: AppendingOptions;
  readonly #publisher: AckedPublisher;
  readonly #subject: string;
  readonly #answers: PublishAnswers;
  readonly #time = new TimeText();
  readonly #recent = new RecentTimes();
  #publishedAt = 0;

  constructor(context: AppendingOptions) {
    const { link, options } = context;
    this.#context = context;
    this.epoch = context.epoch;
    this.#subject = subjectOf(options.stream);
    this.#answers = new PublishAnswers(options.stream);
    this.#publisher = new AckedPublisher({
      link,
      surroundings: options.surroundings,
      // One that must know what came before sends one at a time.
      maxInFlight: options.isSingleWriter ? 1 : options.maxInFlight,
      timeoutMs: options.publishTimeoutMs,
      whileAway: options.whileAway,
    });
  }

  /** Rejects or throws before anything is sent when one of them does not fit. */
  append(drafts: readonly EventDraft[]): Promise<readonly Appended[]> {
    const [only] = drafts;
    if (drafts.length > 1 || only === undefined) return this.#appendAll(drafts);
    this.#checkFits(only);
    return this.#appendOne(only);
  }

  close(): void {
    this.#publisher.close();
  }

  get head(): number {
    return this.#context.head();
  }

  tailLost(sequence: number): StarcastError {
    return this.#context.tailLost(sequence);
  }

  arrival(sequence: number, awaiting: Awaiting): void {
    this.#context.arrival(sequence, awaiting);
  }

  /** An event that is known here by now, of whomever. */
  saw(sequence: number, timestamp: string): void {
    this.#recent.put(sequence, timestamp);
  }

  async timestampAt(sequence: number): Promise<string | null> {
    const recent = this.#recent.at(sequence);
    if (recent !== undefined) return recent;
    const { link, options } = this.#context;
    try {
      const found = await link.manager.streams.getMessage(options.stream, { seq: sequence });
      return found === null ? null : (decodeEvent(found.data, sequence, this.#time)?.timestamp ?? null);
    } catch (error) {
      if (isAbsent(error)) return null;
      throw error;
    }
  }

  toAppendError(error: unknown): StarcastError {
    const failure = toStoreError(error, "append to the stream");
    if (failure.code !== "stale_claim") return failure;
    return new StarcastError(
      "store_locked",
      `Expected to be the only writer of stream \`${this.#context.options.stream}\` (isSingleWriter), got an event of another`,
    );
  }

  async #appendAll(drafts: readonly EventDraft[]): Promise<readonly Appended[]> {
    for (const draft of drafts) this.#checkFits(draft);
    const sending = drafts.map((draft) => this.#appendOne(draft));
    // Also what comes after a refusal may be kept: it is over only then.
    const results = await Promise.allSettled(sending);
    return results.flatMap((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
  }

  #appendOne(draft: EventDraft): Promise<readonly Appended[]> {
    const { dedupeKey } = draft;
    const { isSingleWriter, surroundings } = this.#context.options;
    const makeHeaders = isSingleWriter || dedupeKey !== undefined ? () => this.#headersOf(dedupeKey) : undefined;
    // Never backwards, whatever the clock does.
    this.#publishedAt = Math.max(this.#publishedAt, Math.floor(surroundings.clock.now()));
    const timestamp = this.#time.of(this.#publishedAt);
    const outgoing = {
      subject: this.#subject,
      payload: encodeEvent(draft, this.#publishedAt),
      answers: this.#answers,
      headers: makeHeaders,
    };
    return new Promise((resolve, reject) =>
      this.#publisher.send(new OwnEvent(this, outgoing, timestamp, resolve, reject)),
    );
  }

  #headersOf(dedupeKey: string | undefined): MsgHdrs {
    const { options, head } = this.#context;
    const lines = headers();
    if (dedupeKey !== undefined) lines.set("Nats-Msg-Id", encodeURIComponent(dedupeKey));
    if (options.isSingleWriter)
      lines.set("Nats-Expected-Last-Sequence", String(Math.max(head(), this.#publisher.newest)));
    return lines;
  }

  // JetStream acknowledges what is larger than all it may keep, and drops it at once.
  #checkFits({ sizeBytes }: EventDraft): void {
    const { maxBytes } = this.#context;
    if (sizeBytes <= maxBytes / 2) return;
    throw new StarcastError(
      "event_too_large",
      `Expected events of at most half of what the stream keeps (${maxBytes} bytes), got ${sizeBytes}`,
    );
  }
}
