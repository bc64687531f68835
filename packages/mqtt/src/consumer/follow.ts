import {
  EventsMissedError,
  parsePosition,
  realSurroundings,
  type StarcastError,
  type EventMap,
  type EventOf,
  type Gap,
  type Position,
} from "@starcast/core";
import { makeClientId } from "../abilities.ts";
import { MqttConnection } from "../connection.ts";
import type { IncomingMessage, MqttSession } from "../mqtt-session.ts";
import { resolveFollowOptions, type FollowOptions, type ResolvedFollowOptions } from "./follow-options.ts";
import { readMessage } from "./read-message.ts";
import { SeenIds } from "./seen-ids.ts";

/** Messages the MQTT broker may send a follower with a session before the first is acknowledged. */
export const followReceiveMaximum = 64;

/** How long the end of a loop waits for the connection to close. */
const closeWithinMs = 1_000;

/**
 * The events of an MQTT broker's topics as an async iterable: in order, each id once, through lost connections. An event is
 * acknowledged when the next one is asked for. Events that are missing throw `EventsMissedError`, unless `onGap` is given;
 * refused credentials and topics throw, too. Ends with `signal` or `break`.
 */
export function follow<Events = EventMap>(
  options: FollowOptions<Events>,
): AsyncIterableIterator<EventOf<Events>, undefined> {
  const resolved = resolveFollowOptions(options);
  // What is iterated was read with the vocabulary, which is what gives it its type.
  return new MqttFollow(resolved) as AsyncIterableIterator<unknown, undefined> as AsyncIterableIterator<
    EventOf<Events>,
    undefined
  >;
}

interface Taken {
  readonly event: { readonly id: string };
  done(): void;
}

class MqttFollow implements AsyncIterableIterator<unknown, undefined> {
  readonly #options: ResolvedFollowOptions<unknown>;
  readonly #connection: MqttConnection;
  readonly #seen: SeenIds;
  /** The newest one; publishers of one topic share a log. */
  #last: Position | null = null;
  /** Read and not asked for yet; nothing more is read meanwhile. */
  #next: Taken | null = null;
  /** Given to the loop's body, which may still be at work. */
  #given: Taken | null = null;
  #failure: { readonly error: unknown } | null = null;
  #isEnded = false;
  readonly #waiting: (() => void)[] = [];

  constructor(options: ResolvedFollowOptions<unknown>) {
    const { target, connection, credentials, clientId, sessionExpirySeconds } = options;
    this.#options = options;
    this.#seen = new SeenIds(options.maxSeenIds);
    const memory = { expirySeconds: sessionExpirySeconds, receiveMaximum: followReceiveMaximum };
    this.#connection = new MqttConnection(
      {
        target,
        options: connection,
        clientId: clientId ?? makeClientId("follow", realSurroundings.random),
        credentials,
        needsVersion5: [],
        memory: clientId === null ? undefined : memory,
        surroundings: realSurroundings,
      },
      {
        will: () => null,
        onOnline: (session) => void this.#subscribe(session),
        onOffline: (error, retryInMs) => this.#offline(error, retryInMs),
        onMessage: (message) => this.#hear(message),
      },
    );
    const { signal } = options;
    if (signal?.aborted === true) this.#isEnded = true;
    else {
      signal?.addEventListener("abort", this.#abort, { once: true });
      this.#connection.start();
    }
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    this.#acknowledge();
    for (;;) {
      if (this.#next !== null) {
        this.#given = this.#next;
        this.#next = null;
        this.#seen.add(this.#given.event.id);
        return { done: false, value: this.#given.event };
      }
      if (this.#failure !== null) {
        const { error } = this.#failure;
        this.#failure = null;
        await this.return();
        throw error;
      }
      if (this.#isEnded) return { done: true, value: undefined };
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    if (!this.#isEnded) {
      this.#isEnded = true;
      this.#options.signal?.removeEventListener("abort", this.#abort);
      // What was given is done with: the body was left on purpose.
      this.#acknowledge();
      this.#next = null;
      this.#wake();
      await this.#connection.close(closeWithinMs);
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  readonly #abort = (): void => void this.return();

  async #subscribe(session: MqttSession): Promise<void> {
    const { topics, qos } = this.#options;
    try {
      for (const topic of topics) await session.subscribe(topic, qos);
    } catch (error) {
      // A connection that ended meanwhile tells by itself.
      if (this.#connection.state === "online") this.#fail(error);
    }
  }

  #offline(error: StarcastError, retryInMs: number | null): void {
    // Neither is acknowledged, so both may come again.
    this.#next = null;
    if (this.#given !== null) this.#given = { ...this.#given, done: () => undefined };
    void this.#tell(() => this.#options.onDisconnected?.(error, retryInMs));
    if (retryInMs === null) this.#fail(error);
  }

  #hear({ topic, payload, done }: IncomingMessage): void {
    if (this.#isEnded) return;
    const read = readMessage(payload, this.#options.events);
    switch (read.kind) {
      case "event":
        return this.#hearEvent(read.event, done);
      case "gap":
        this.#miss(read.gap);
        return done();
      case "nothing":
        return done();
      case "unreadable":
        void this.#tell(() => {
          if (this.#options.onUnreadable === null) throw read.error;
          return this.#options.onUnreadable(topic, read.error);
        });
        return done();
    }
  }

  #hearEvent(event: { readonly id: string }, done: () => void): void {
    const position = parsePosition(event.id);
    if (this.#given?.event.id === event.id) {
      // The body is still at work on it: acknowledged when that is over.
      this.#given = { event, done };
      return;
    }
    if (position === null || this.#seen.has(event.id)) return done();
    this.#checkComplete(position);
    if (this.#failure !== null) return;
    this.#next = { event, done };
    if (this.#last?.epoch !== position.epoch || this.#last.offset < position.offset) this.#last = position;
    this.#wake();
  }

  /** With every event of the log on these topics, a position that was left out is missing. */
  #checkComplete(position: Position): void {
    const last = this.#last;
    if (!this.#options.isComplete || last === null) return;
    const through = { epoch: position.epoch, offset: position.offset - 1 };
    if (last.epoch !== position.epoch) this.#miss({ after: last, through, reason: "epoch" });
    else if (position.offset > last.offset + 1) this.#miss({ after: last, through, reason: "unknown" });
  }

  #miss(gap: Gap): void {
    if (this.#last?.epoch !== gap.through.epoch || this.#last.offset < gap.through.offset) this.#last = gap.through;
    void this.#tell(() => {
      if (this.#options.onGap === null) throw new EventsMissedError(gap);
      return this.#options.onGap(gap);
    });
  }

  /** Calls what the user gave; what that throws is thrown into the loop. */
  async #tell(callback: () => unknown): Promise<void> {
    try {
      await callback();
    } catch (error) {
      this.#fail(error);
    }
  }

  #acknowledge(): void {
    const given = this.#given;
    this.#given = null;
    given?.done();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
