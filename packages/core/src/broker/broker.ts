import type { Surroundings } from "../clock.ts";
import { StarcastError, type ErrorCode } from "../errors.ts";
import type { Event, EventMap } from "../event/event.ts";
import type { LogEvent } from "../event/log-event.ts";
import type { EventsMatching, TypePattern } from "../event/type-pattern.ts";
import type { AnyVocabulary } from "../event/vocabulary.ts";
import type { EventLog } from "../log/event-log.ts";
import type { Position } from "../log/position.ts";
import { Admission } from "../gateway/admission.ts";
import { Counters } from "../observe/counters.ts";
import type { Moment } from "../observe/observer.ts";
import { Observers } from "../observe/observers.ts";
import { resolveBrokerOptions, type BrokerOptions, type ResolvedBrokerOptions } from "../options.ts";
import type { Cursor } from "../pump/cursor.ts";
import { Pump } from "../pump/pump.ts";
import { countMissed } from "../pump/starting-point.ts";
import type { Store } from "../store/store.ts";
import { asPort, toSubscriber, type EventFunction, type EventReceiver } from "../subscriber/to-subscriber.ts";
import { Follow } from "../subscriber/follow.ts";
import type { Gap, Subscriber } from "../subscriber/subscriber.ts";
import type { AnyBroker, Part } from "./any-broker.ts";
import { requireObject, requireRunOptions } from "./check-subscribe-options.ts";
import { drain } from "./drain.ts";
import { Parts } from "./parts.ts";
import { Publishing } from "./publishing.ts";
import type { Registration } from "./registration.ts";
import { Registrations } from "./registrations.ts";
import type { PublishOptions, SubscribeOptions, Subscription } from "./subscription.ts";
import { holdSignal } from "./until-signal.ts";
import type {
  BrokerStats,
  FollowingOptions,
  PublicationOf,
  PublishArguments,
  Published,
  TypedSubscribeOptions,
} from "./typed-options.ts";

/**
 * The central hub: publishes an event once, into one log, and brings every subscriber to it. Live from construction;
 * a slow subscriber never delays another.
 */
export class Broker<Events = EventMap> implements AnyBroker {
  readonly store: Store;
  readonly vocabulary: AnyVocabulary;
  readonly surroundings: Surroundings;
  readonly admission: Admission = new Admission();
  readonly #options: ResolvedBrokerOptions;
  readonly #log: EventLog;
  readonly #observers: Observers;
  readonly #counters = new Counters();
  readonly #pump: Pump;
  readonly #publishing: Publishing;
  readonly #parts = new Parts();
  readonly #registrations: Registrations;
  readonly #onClosing: (() => void)[] = [];
  #closing: Promise<void> | null = null;
  #endedBy: StarcastError | null = null;

  constructor(options: BrokerOptions<Events> = {}) {
    const resolved = resolveBrokerOptions(options);
    const { store, observe, surroundings } = resolved;
    this.#options = resolved;
    this.store = store;
    this.vocabulary = resolved.events;
    this.surroundings = surroundings;
    this.#log = store.log;
    void store.log.ended?.then((error) => this.#logEnded(error));
    this.#observers = new Observers(observe);
    this.#pump = new Pump({
      log: store.log,
      surroundings,
      hotWindow: resolved.hotWindow,
      pageCacheBytes: resolved.pageCacheBytes,
      flushMs: resolved.flushMs,
      onGap: (cursor, gap) => this.#gapTold(cursor, gap),
      onFailed: (cursor, error) => this.#registrations.fail(cursor, error),
      onReadFailed: (after, error) => this.observe({ kind: "readFailed", level: "warn", after, error }),
    });
    this.#registrations = new Registrations({
      options: resolved,
      pump: this.#pump,
      observers: this.#observers,
      constructedAt: this.position,
    });
    this.#publishing = new Publishing({
      log: store.log,
      vocabulary: resolved.events,
      maxEventBytes: resolved.maxEventBytes,
      uncommitted: resolved.uncommitted,
      hasRoomFor: (count, sizeBytes) => this.#pump.hasRoomFor(count, sizeBytes),
      eventAt: (offset) => this.#pump.eventAt(offset),
      onPublished: (event) => this.#published(event),
      onRefused: (type, code, message) => {
        this.#counters.drop(code, 1);
        this.observe({ kind: "publishRefused", level: "warn", type, code, message });
      },
    });
  }

  /** The newest committed place known here: what a snapshot taken now has seen. */
  get position(): Position {
    return { epoch: this.#log.epoch, offset: this.#log.head };
  }

  get subscriberCount(): number {
    return this.#registrations.count;
  }

  /** Committed events not yet offered to every ready subscriber. */
  get queueDepth(): number {
    return this.#pump.backlog;
  }

  get eventsPublished(): number {
    return this.#counters.eventsPublished;
  }

  /** Positions in gaps, summed over the subscribers that were told, plus refused publications. */
  get eventsDropped(): number {
    return this.#counters.eventsDropped;
  }

  stats(): BrokerStats {
    return { ...this.#counters.counts(), subscriberCount: this.subscriberCount, queueDepth: this.queueDepth };
  }

  /**
   * Resolves with the committed event once it survives what the engine promises. Never throws: rejects with
   * `invalid_event_type`, `invalid_data`, `invalid_subject`, `event_too_large`, `overloaded`, `broker_closed`,
   * `unsupported` or the engine's error, and tells the observer; a rejection nobody looks at does not end the process.
   */
  publish<Type extends keyof Events & string>(
    type: Type,
    ...rest: PublishArguments<Events[Type]>
  ): Promise<Published<Event<Type, Events[Type]>>> {
    const [data, options] = rest as readonly [unknown, PublishOptions?];
    // The vocabulary says what this type carries; the log does not know.
    return this.publishAny(type, data, options) as Promise<Published<Event>> as Promise<
      Published<Event<Type, Events[Type]>>
    >;
  }

  publishAny(type: string, data: unknown, options: PublishOptions = noOptions): Promise<LogEvent> {
    return this.#publishing.publish(type, data, options);
  }

  /** All or none, one after the other with nothing in between; `unsupported` where the engine cannot. */
  publishAll(publications: readonly PublicationOf<Events>[]): Promise<readonly Published<Event>[]> {
    return this.#publishing.publishAll(publications);
  }

  /**
   * Registers a function, `{ send, close }` or a `Subscriber`; never blocks. Throws `invalid_filter`, `invalid_option`,
   * `overloaded`, `name_taken`, `broker_closed`.
   */
  subscribe<const Pattern extends TypePattern<Events> = "**" & TypePattern<Events>>(
    subscriber:
      EventFunction<EventsMatching<Events, Pattern>> | EventReceiver<EventsMatching<Events, Pattern>> | Subscriber,
    options: TypedSubscribeOptions<Pattern> = {},
  ): Subscription {
    requireObject(options);
    const asSubscriber = toSubscriber(subscriber, {
      surroundings: this.surroundings,
      onGap: options.onGap,
      isNamed: options.name !== undefined,
      onFailed: (error) =>
        this.observe({ kind: "subscriberFailed", level: "warn", subscriber: options.name ?? "function", error }),
    });
    return this.#register(subscriber, asSubscriber, options);
  }

  attach(subscriber: Subscriber, options: SubscribeOptions = {}): Subscription {
    return this.#register(subscriber, asPort(subscriber), options);
  }

  /** Ends every subscription of this function or object; one that is not subscribed is nothing to end. Idempotent. */
  async unsubscribe(subscriber: unknown): Promise<void> {
    await this.#registrations.remove(subscriber);
  }

  /**
   * The events as an async iterable; an event is acknowledged when the next one is asked for. Events that are missing
   * throw `EventsMissedError` at their place, unless `onGap` is given. Ends with `signal`, `break`, or the broker.
   */
  follow<const Pattern extends TypePattern<Events> = "**" & TypePattern<Events>>(
    options: FollowingOptions<Pattern> = {},
  ): AsyncIterableIterator<EventsMatching<Events, Pattern>, undefined> {
    const { signal, ...subscribing } = requireObject(options);
    const follow = new Follow({ onGap: options.onGap, onEnd: () => void registration.close() });
    const registration = this.#register(follow, follow, subscribing);
    follow.endWith(signal);
    return follow as AsyncIterableIterator<unknown, undefined> as AsyncIterableIterator<
      EventsMatching<Events, Pattern>,
      undefined
    >;
  }

  register(part: Part): () => void {
    if (this.#closing !== null) throw closed();
    return this.#parts.add(part);
  }

  observe(moment: Moment): void {
    this.#observers.tell(moment);
  }

  countDropped(reason: ErrorCode, count: number): void {
    this.#counters.drop(reason, count);
  }

  /** Waits for the signal, then closes: resolves after the drain, rejects if the log ended. Holds the process until then. */
  async run(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = requireRunOptions(options);
    this.#registrations.start();
    const release = holdSignal(signal);
    if (signal?.aborted !== true && this.#closing === null) await this.#untilAborted(signal);
    await this.close().finally(release);
    if (this.#endedBy !== null) throw this.#endedBy;
  }

  /** Ends everything that is registered, in a fixed order, then the store; idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #published(event: LogEvent): void {
    this.#counters.published(1);
    if (!this.#observers.wantsDebug) return;
    const { id, type, sizeBytes } = event;
    this.observe({ kind: "eventPublished", level: "debug", id, type, sizeBytes });
  }

  #gapTold(cursor: Cursor, gap: Gap): void {
    const missed = countMissed(gap);
    this.#counters.drop(gap.reason, missed);
    this.observe({ kind: "subscriberGapped", level: "warn", subscriber: cursor.owner?.label ?? "", gap, missed });
  }

  #register(key: unknown, subscriber: Subscriber, options: SubscribeOptions): Registration {
    if (this.#closing !== null) throw closed();
    return this.#registrations.add(key, subscriber, options);
  }

  #logEnded(error: StarcastError): void {
    this.#endedBy = error;
    const tell = (cause: unknown): void => this.observe({ kind: "logEnded", level: "warn", error: cause });
    tell(error);
    // Nobody may be waiting for this end; an engine that is away may not be able to close either.
    this.close().catch(tell);
  }

  async #untilAborted(signal: AbortSignal | undefined): Promise<void> {
    // Without a server or a timer of its own the process would end in the middle of `await run()`.
    const hold = this.surroundings.scheduler.after(Number.MAX_SAFE_INTEGER, () => undefined, { holdsProcess: true });
    await new Promise<void>((resolve) => {
      const end = (): void => {
        signal?.removeEventListener("abort", end);
        resolve();
      };
      signal?.addEventListener("abort", end, { once: true });
      this.#onClosing.push(end);
    });
    hold.cancel();
  }

  async #close(): Promise<void> {
    // Whoever is told of the end may call `close` again: by then it is known to be under way.
    await Promise.resolve();
    for (const resolve of this.#onClosing.splice(0)) resolve();
    this.observe({ kind: "drainStarted", level: "info", parts: this.#parts.count, subscribers: this.subscriberCount });
    const drained = await drain({
      parts: this.#parts,
      ...this.#options.drain,
      surroundings: this.surroundings,
      stopIntake: () => this.#publishing.close(),
      isCaughtUp: () => this.#pump.isCaughtUp,
      unfinished: () => this.#registrations.unfinished(),
      closeSubscriptions: () => this.#registrations.endAll(),
      abandonSubscriptions: () => this.#registrations.abandon(),
      closeStore: async () => {
        this.#pump.close();
        await this.store.close();
      },
    });
    this.observe({ kind: "drainCompleted", level: "info", ...drained });
  }
}

const noOptions: PublishOptions = Object.freeze({});

function closed(): StarcastError {
  return new StarcastError("broker_closed", "Expected an open broker, got one that was closed");
}
