import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from "@nats-io/jetstream";
import { headers, nanos, type Msg, type MsgHdrs } from "@nats-io/transport-node";
import { StarcastError, isStarcastError, type Scheduler } from "@starcast/core";
import type { AckedPublisher } from "./acked-publisher.ts";
import { Feed } from "./feed.ts";
import { isAbsent, toStoreError } from "./nats-error.ts";
import type { NatsLink } from "./nats-link.ts";
import { PageReader, type Item } from "./page-reader.ts";
import { PublishAnswers } from "./publish-answer.ts";
import { StreamLook } from "./stream-look.ts";
import type { Place } from "./stream-message.ts";
import { ensureStream } from "./stream-setup.ts";

/** A value of a bucket with the revision it was written at; null stands for one that was removed. */
export interface Entry {
  readonly key: string;
  readonly value: string | null;
  readonly revision: number;
}

export interface BucketOptions {
  readonly link: NatsLink;
  readonly scheduler: Scheduler;
  readonly publisher: AckedPublisher;
  readonly timeoutMs: number;
  readonly name: string;
  readonly replicas: number;
  /** How long an entry is kept after it was written; for ever by default. */
  readonly maxAgeMs?: number | undefined;
  /** Told when the newest entries that were read or written here are no longer there. */
  readonly onTailLost: (error: StarcastError) => void;
}

/** A NATS key-value bucket, in the layout every NATS tool knows: the newest value of each key, changed by compare and set. */
export class Bucket {
  readonly #options: BucketOptions;
  readonly #stream: string;
  readonly #prefix: string;
  readonly #answers: PublishAnswers;
  readonly #look: StreamLook;
  #feed: Feed | null = null;
  /** The newest revision that was read here, or written and acknowledged. */
  #newest = 0;

  private constructor(options: BucketOptions) {
    this.#options = options;
    this.#stream = `KV_${options.name}`;
    this.#prefix = `$KV.${options.name}.`;
    this.#answers = new PublishAnswers(this.#stream);
    const { link, scheduler } = options;
    this.#look = new StreamLook({ link, scheduler, stream: this.#stream });
  }

  /** Makes the bucket where there is none; rejects with `unsupported` when there is one that keeps something else. */
  static async open(options: BucketOptions): Promise<Bucket> {
    const bucket = new Bucket(options);
    const wanted = bucket.#config();
    const { config } = await ensureStream(options.link.manager, wanted);
    const problems = problemsOf(config, wanted);
    if (problems.length === 0) return bucket;
    throw new StarcastError(
      "unsupported",
      `Expected bucket \`${options.name}\` to have ${problems.join(", ")}, got another: let Starcast make it`,
    );
  }

  /** The newest value, as the leader of the stream has it; null for a key never written. */
  async get(key: string): Promise<Entry | null> {
    try {
      const found = await this.#options.link.manager.streams.getMessage(this.#stream, {
        last_by_subj: this.#prefix + key,
      });
      if (found === null) return null;
      return { key, value: isRemoval(() => found.header) ? null : found.string(), revision: found.seq };
    } catch (error) {
      if (isAbsent(error)) return null;
      throw toStoreError(error, `read bucket \`${this.#options.name}\``);
    }
  }

  /**
   * Resolves with the new revision. With `expected`, rejects with `stale_claim` unless that is the newest revision; 0
   * means that there is no value.
   */
  async put(key: string, value: string, expected?: number): Promise<number> {
    try {
      return await this.#write(key, value, expected);
    } catch (error) {
      if (expected !== 0 || !isStarcastError(error, "stale_claim")) throw error;
      // Written once and removed: a removal is a revision too, until somebody takes it out.
      const marker = await this.get(key);
      if (marker !== null && marker.value !== null) throw error;
      return this.#write(key, value, marker?.revision ?? 0);
    }
  }

  /** Leaves a mark of the removal, so that whoever follows the bucket learns it. */
  remove(key: string, expected: number): Promise<number> {
    return this.#write(key, "", expected, "DEL");
  }

  /** Takes out what a removal left; what was written since stays. */
  async purge(key: string, removal: number): Promise<void> {
    try {
      const through = { filter: this.#prefix + key, seq: removal + 1 };
      await this.#options.link.manager.streams.purge(this.#stream, through);
    } catch (error) {
      throw toStoreError(error, `purge bucket \`${this.#options.name}\``);
    }
  }

  /** Every entry there is, oldest write first. */
  async entries(): Promise<readonly Entry[]> {
    const { link, scheduler, timeoutMs, name } = this.#options;
    const newest = await this.revision();
    const reader = await PageReader.open(
      { link, scheduler, timeoutMs, stream: this.#stream, decode: (message, place) => this.#decode(message, place) },
      0,
    );
    try {
      const all = new Map<string, ReadEntry>();
      for (;;) {
        const page = await reader.next(newest, pageLimit);
        if (page.length === 0) return [...all.values()].filter(({ value }) => value !== null);
        for (const entry of page) {
          all.delete(entry.key);
          all.set(entry.key, entry);
        }
      }
    } catch (error) {
      throw toStoreError(error, `read bucket \`${name}\``);
    } finally {
      reader.close();
    }
  }

  /** Tells of every entry there is, then of every change, until closed. */
  async follow(onEntry: (entry: Entry) => void): Promise<void> {
    const { link, scheduler } = this.#options;
    this.#feed = await Feed.open({
      link,
      scheduler,
      stream: this.#stream,
      after: 0,
      onMessage: (message, place) => onEntry(this.#decode(message, place)),
      onReplaced: () => void this.#tailLost(),
      // Where it cannot be asked for now, the next lost connection restarts the feed again.
      onRestarted: () => void this.revision().catch(ignore),
    });
  }

  /** The newest there is. Rejects with `store_corrupt` when a newer one was read or written here. */
  async revision(): Promise<number> {
    const newest = this.#newest;
    const { state } = await this.#look.take(newest);
    if (state.last_seq < newest) throw this.#tailLost();
    this.#newest = Math.max(this.#newest, state.last_seq);
    return state.last_seq;
  }

  close(): void {
    this.#look.close();
    this.#feed?.close();
  }

  #tailLost(): StarcastError {
    const error = new StarcastError(
      "store_corrupt",
      `Expected bucket \`${this.#options.name}\` as it was, got one without its newest entries: end the process and open the store again`,
    );
    this.#options.onTailLost(error);
    return error;
  }

  async #write(key: string, payload: string, expected: number | undefined, mark?: "DEL"): Promise<number> {
    const { sequence } = await this.#options.publisher.publish({
      subject: this.#prefix + key,
      payload,
      answers: this.#answers,
      headers: () => headersOf(expected, mark),
    });
    this.#newest = Math.max(this.#newest, sequence);
    return sequence;
  }

  #decode(message: Msg, { sequence }: Place): ReadEntry {
    this.#newest = Math.max(this.#newest, sequence);
    return {
      key: message.subject.slice(this.#prefix.length),
      value: isRemoval(() => message.headers) ? null : message.string(),
      revision: sequence,
      offset: sequence,
      sizeBytes: message.data.length,
    };
  }

  #config(): Partial<StreamConfig> & { readonly name: string } {
    const { replicas, maxAgeMs } = this.#options;
    return {
      name: this.#stream,
      subjects: [`${this.#prefix}>`],
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      storage: StorageType.File,
      num_replicas: replicas,
      max_msgs_per_subject: 1,
      max_age: maxAgeMs === undefined ? 0 : nanos(maxAgeMs),
      allow_rollup_hdrs: true,
      deny_delete: true,
      deny_purge: false,
      allow_direct: true,
    };
  }
}

/** Why this cannot be the bucket: it would lose what it was given, or give more than the newest. */
function problemsOf(config: StreamConfig, wanted: Partial<StreamConfig>): readonly string[] {
  const [subject = ""] = wanted.subjects ?? [];
  const needed: readonly (readonly [boolean, string])[] = [
    [config.subjects?.length === 1 && config.subjects[0] === subject, `subjects: ["${subject}"]`],
    [config.max_msgs_per_subject === 1, "a history of 1"],
    [wanted.max_age !== 0 || (config.max_age ?? 0) === 0, "no max_age (TTL)"],
    [config.discard === DiscardPolicy.New, "discard: new"],
    [config.storage === StorageType.File, "storage: file"],
  ];
  return needed.filter(([holds]) => !holds).map(([, what]) => what);
}

type ReadEntry = Entry & Item;

function headersOf(expected: number | undefined, mark: "DEL" | undefined): MsgHdrs | undefined {
  if (expected === undefined && mark === undefined) return undefined;
  const lines = headers();
  if (expected !== undefined) lines.set("Nats-Expected-Last-Subject-Sequence", String(expected));
  if (mark !== undefined) lines.set(operation, mark);
  return lines;
}

function isRemoval(headers: () => MsgHdrs | undefined): boolean {
  try {
    return (headers()?.get(operation) ?? "") !== "";
  } catch {
    // Others may have written headers that the client refuses to read; they are no mark of ours.
    return false;
  }
}

const ignore = (): void => undefined;
const operation = "KV-Operation";
const pageLimit = { maxEvents: 256, maxBytes: 8_388_608 };
