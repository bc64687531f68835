import type { Surroundings } from "../clock.ts";
import type { ErrorCode } from "../errors.ts";
import type { Event } from "../event/event.ts";
import type { AnyVocabulary } from "../event/vocabulary.ts";
import type { Position } from "../log/position.ts";
import type { Admission } from "../gateway/admission.ts";
import type { Moment } from "../observe/observer.ts";
import type { Store } from "../store/store.ts";
import type { Subscriber } from "../subscriber/subscriber.ts";
import type { PublishOptions, SubscribeOptions, Subscription } from "./subscription.ts";

/** What a transport needs of a broker, whatever its vocabulary: structural, so that two copies of core do no harm. */
export interface AnyBroker {
  readonly surroundings: Surroundings;
  readonly store: Store;
  readonly vocabulary: AnyVocabulary;
  /** The newest committed place known here. */
  readonly position: Position;
  /** Caps on connections, one count for all gateways of the broker. */
  readonly admission: Admission;
  /** Registers a subscriber; never blocks. What `open`, `deliver`, `gap` and `close` of it are told follows in later turns. */
  attach(subscriber: Subscriber, options?: SubscribeOptions): Subscription;
  publishAny(type: string, data: unknown, options?: PublishOptions): Promise<Event>;
  /** Makes the part end with the broker; the returned function unregisters it. */
  register(part: Part): () => void;
  observe(moment: Moment): void;
  /** Counts events in `eventsDropped` that a receiver was told it will not get, for another reason than a gap of the log. */
  countDropped(reason: ErrorCode, count: number): void;
}

/** What ends with the broker: clients first, then publishers (MQTT, webhooks), then the rest. */
export interface Part {
  /** Unique per broker; `name_taken` otherwise. */
  readonly name: string;
  readonly stage: "clients" | "publishers" | "rest";
  /** How many connections or deliveries are open: the drain spread scales with it. */
  readonly size: number;
  /** Refuse what is new, from now on. Never throws. */
  stop(): void;
  /** Finish what was accepted, until `deadline` at the latest (then end it hard); resolves with what was left undone, for people. */
  drain(plan: DrainPlan): Promise<readonly string[]>;
}

export interface DrainPlan {
  /** Clients are told to leave, and to come back, spread over so many milliseconds. */
  readonly spreadMs: number;
  /** Milliseconds since the epoch at which everything ends, finished or not. */
  readonly deadline: number;
}
