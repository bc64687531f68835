import { createHash } from "node:crypto";
import {
  StarcastError,
  steadyClock,
  type AnyVocabulary,
  type Clock,
  type LogEvent,
  type Surroundings,
} from "@starcast/core";
import type { InFlightWindow } from "./in-flight-window.ts";
import { packetBytesAtMost, packetTooLarge, type Message } from "./message.ts";
import type { IncomingMessage, MqttSession } from "./mqtt-session.ts";
import type { ResolvedStateOptions, StateEntries } from "./state-options.ts";

/** An MQTT broker does not say when it has sent all that it retains; so much silence is taken for the end. */
export const listingQuietMs = 500;

/** What a resync needs of the connection it runs on. */
export interface ResyncSite {
  readonly session: MqttSession;
  readonly window: InFlightWindow;
  /** The largest packet that the MQTT broker takes. */
  readonly maximumPacketBytes: number;
  /** Aborted when the connection ends. */
  readonly signal: AbortSignal;
}

/** What a resync did: topics written, cleared, and found right. */
export interface ResyncResult {
  readonly written: number;
  readonly cleared: number;
  readonly unchanged: number;
}

/** Retained topics that hold the newest state of each thing. */
export class Mirror {
  readonly #options: ResolvedStateOptions;
  readonly #vocabulary: AnyVocabulary;
  readonly #surroundings: Surroundings;
  readonly #clock: Clock;
  #listing: { readonly found: Map<string, string>; heardAt: number } | null = null;

  constructor(options: ResolvedStateOptions, vocabulary: AnyVocabulary, surroundings: Surroundings) {
    this.#options = options;
    this.#vocabulary = vocabulary;
    this.#surroundings = surroundings;
    this.#clock = steadyClock(surroundings.clock);
  }

  /** The state after an event, or an empty payload when the thing is gone; null for events that change no state. */
  render(event: LogEvent): Message | null {
    if (event.subject === undefined || !this.#vocabulary.hasState(event.type)) return null;
    return this.#stateMessage(this.#options.topic.render(event), this.#vocabulary.stateOf(event.type, event.data));
  }

  /** What the MQTT broker sends while it is asked what it retains. */
  hear({ topic, payload, isRetained }: IncomingMessage): void {
    const listing = this.#listing;
    if (listing === null || !isRetained || payload.length === 0) return;
    listing.heardAt = this.#clock.now();
    // What somebody else retains beside the mirror is nobody's ghost.
    if (!this.#options.topic.owns(topic)) return;
    if (listing.found.size <= this.#options.maxTopics) listing.found.set(topic, digest(payload));
  }

  /**
   * Makes the retained topics exactly what the entries say, ghosts removed, writing only what differs. Nothing else may be
   * published to these topics meanwhile. Rejects when the connection ends, and may then be called again.
   */
  async resync(entries: StateEntries, site: ResyncSite): Promise<ResyncResult> {
    const { window } = site;
    await window.empty();
    const found = await this.#list(site);
    let written = 0;
    let unchanged = 0;
    const desired = new Set<string>();
    for await (const [subject, state] of this.#patiently(entries)) {
      const message = this.#stateMessage(this.#topicOf(subject), state);
      if (message.payload === "") continue;
      desired.add(message.topic);
      this.#checkSize(desired.size);
      if (found.get(message.topic) === digest(message.payload)) unchanged += 1;
      else {
        written += 1;
        await this.#publish(message, site);
      }
    }
    let cleared = 0;
    for (const topic of found.keys()) {
      if (desired.has(topic)) continue;
      cleared += 1;
      await this.#publish(this.#stateMessage(topic, undefined), site);
    }
    await window.empty();
    site.signal.throwIfAborted();
    return { written, cleared, unchanged };
  }

  /** Topics the MQTT broker retains now, with a digest of what is in them. */
  async #list({ session, signal }: ResyncSite): Promise<ReadonlyMap<string, string>> {
    const { filter } = this.#options.topic;
    const listing = { found: new Map<string, string>(), heardAt: 0 };
    this.#listing = listing;
    try {
      signal.throwIfAborted();
      // QoS 0: with more, MQTT brokers cut what they retain to the length of a queue.
      await orAborted(session.subscribe(filter, 0), signal);
      listing.heardAt = this.#clock.now();
      for (let quietMs = 0; quietMs < listingQuietMs; quietMs = this.#clock.now() - listing.heardAt) {
        await orAborted(this.#sleep(listingQuietMs - quietMs), signal);
      }
      await orAborted(session.unsubscribe(filter), signal);
    } finally {
      this.#listing = null;
    }
    this.#checkSize(listing.found.size);
    return listing.found;
  }

  async #publish(message: Message, { window, maximumPacketBytes, signal }: ResyncSite): Promise<void> {
    // Sent all the same, it would end the connection, and the next one too.
    const bytes = packetBytesAtMost(message);
    if (bytes > maximumPacketBytes) throw packetTooLarge(message.topic, bytes, maximumPacketBytes);
    await window.room();
    signal.throwIfAborted();
    window.take(null, [message], message.topic);
  }

  /** The entries, each of which may keep silent for so long and no longer. */
  async *#patiently(entries: StateEntries): AsyncGenerator<readonly [string, unknown], void, undefined> {
    const { snapshotTimeoutMs } = this.#options;
    if (Symbol.iterator in entries) {
      yield* entries;
      return;
    }
    const iterator = entries[Symbol.asyncIterator]();
    try {
      for (;;) {
        const { done, value } = await this.#within(snapshotTimeoutMs, iterator.next());
        if (done === true) return;
        yield value;
      }
    } finally {
      void iterator.return?.()?.catch(() => undefined);
    }
  }

  /** The work's result; rejects `timed_out` when it takes longer. */
  async #within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const timer = this.#surroundings.scheduler.after(ms, () =>
        reject(new StarcastError("timed_out", `Expected a snapshot to go on within ${ms} ms, got nothing`)),
      );
      work.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  #topicOf(subject: unknown): string {
    if (typeof subject !== "string")
      throw new StarcastError("invalid_data", "Expected entries of [subject, state], got a subject that is not a text");
    return this.#options.topic.render({ id: "", type: "", subject, data: null });
  }

  #stateMessage(topic: string, state: unknown): Message {
    // What JSON cannot say is nothing that could be retained.
    const payload: string | undefined = JSON.stringify(state);
    return { topic, payload: payload ?? "", qos: 1, retain: true };
  }

  #checkSize(topics: number): void {
    const { maxTopics } = this.#options;
    if (topics > maxTopics)
      throw new StarcastError(
        "overloaded",
        `Expected a mirror of at most ${maxTopics} topics (state.maxTopics), got more`,
      );
  }

  async #sleep(ms: number): Promise<void> {
    await new Promise<void>((resolve) => void this.#surroundings.scheduler.after(ms, resolve));
  }
}

function digest(payload: string | Uint8Array): string {
  return createHash("sha256").update(payload).digest("base64");
}

async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
