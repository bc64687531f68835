import { StarcastError } from "../errors.ts";
import type { Position } from "../log/position.ts";
import type { Observers } from "../observe/observers.ts";
import type { ResolvedBrokerOptions } from "../options.ts";
import type { Cursor } from "../pump/cursor.ts";
import { compileFilter } from "../pump/filter.ts";
import type { Pump } from "../pump/pump.ts";
import type { StartingPoint } from "../pump/starting-point.ts";
import type { CloseReason, Subscriber } from "../subscriber/subscriber.ts";
import { NamedSubscription } from "./named-subscription.ts";
import { Registration, type RegistrationHome } from "./registration.ts";
import { RegistrationSet } from "./registration-set.ts";
import { checkSubscribeOptions } from "./check-subscribe-options.ts";
import type { SubscribeOptions } from "./subscription.ts";

export interface RegistrationsOptions {
  readonly options: ResolvedBrokerOptions;
  readonly pump: Pump;
  readonly observers: Observers;
  /** Where plain subscriptions start until the first of them: nothing published since the construction is lost. */
  readonly constructedAt: Position;
}

/** Who is subscribed: by what the user passed, and by name; bounded. */
export class Registrations implements RegistrationHome {
  readonly pump: Pump;
  readonly epoch: string;
  readonly #context: RegistrationsOptions;
  readonly #all = new RegistrationSet();
  readonly #names = new Set<string>();
  /** Closing: no longer counted, but still finishing its last event or giving back its lease. */
  readonly #ending = new Set<Registration>();
  #isStarted = false;
  #numbered = 0;

  constructor(context: RegistrationsOptions) {
    this.#context = context;
    this.pump = context.pump;
    this.epoch = context.options.store.log.epoch;
  }

  get count(): number {
    return this.#all.size;
  }

  /** From now on plain subscriptions start at the head. */
  start(): void {
    this.#isStarted = true;
  }

  /** Throws `invalid_option`, `invalid_filter`, `overloaded`, `name_taken` before anything has changed. */
  add(key: unknown, subscriber: Subscriber, options: SubscribeOptions): Registration {
    const { options: broker } = this.#context;
    checkSubscribeOptions(options);
    const filter = compileFilter({ types: options.types, subjects: options.subjects }, options.within);
    if (this.#all.size >= broker.maxSubscribers) {
      throw new StarcastError(
        "overloaded",
        `Expected at most ${broker.maxSubscribers} subscribers (maxSubscribers), got one more`,
      );
    }
    const { name } = options;
    if (name !== undefined && this.#names.has(name)) {
      throw new StarcastError(
        "name_taken",
        `Expected a name that is not subscribed, got \`${name}\`: give the second one another \`name\``,
      );
    }
    const called = name ?? (this.#numbered += 1);
    const registration = new Registration(this, { key, subscriber, called, filter });
    this.#remember(registration);
    this.#place(registration, options);
    return registration;
  }

  /** Ends what was subscribed with this function or object. */
  async remove(key: unknown): Promise<void> {
    await Promise.all(this.#all.of(key).map((registration) => registration.close()));
  }

  /** Ends the subscription of a subscriber that broke its contract. */
  fail(cursor: Cursor, error: unknown): void {
    if (!(cursor.owner instanceof Registration)) return;
    this.onFailed(cursor.owner, error);
    void cursor.owner.end("subscriber_failed");
  }

  onClosed(registration: Registration, reason: CloseReason): void {
    const { label, name } = registration;
    this.#all.delete(registration);
    this.#ending.add(registration);
    if (name !== undefined) this.#names.delete(name);
    this.#context.observers.tell({ kind: "subscriberClosed", level: "debug", subscriber: label, reason });
  }

  onEnded(registration: Registration): void {
    this.#ending.delete(registration);
  }

  onFailed({ label }: Registration, error: unknown): void {
    this.#context.observers.tell({ kind: "subscriberFailed", level: "warn", subscriber: label, error });
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#all, ...this.#ending].map((registration) => registration.end("broker_closed")));
  }

  /** Gives back at once what those hold that did not end in time. */
  async abandon(): Promise<void> {
    await Promise.all([...this.#ending].map((registration) => registration.release()));
  }

  /** What those are called that are not at the head. */
  unfinished(): readonly string[] {
    const { head } = this.#context.options.store.log;
    return [...this.#all].filter(({ position }) => position?.offset !== head).map(({ label }) => `subscriber ${label}`);
  }

  #place(registration: Registration, options: SubscribeOptions): void {
    const { pump } = this;
    const { observers, options: broker } = this.#context;
    const { store, leaseMs, surroundings } = broker;
    const { name, maxReplayEvents = Infinity } = options;
    const { subscriber, filter } = registration;
    const from = this.#startOf(options);
    if (name === undefined) {
      registration.cursor = pump.add({ subscriber, from, maxReplayEvents, owner: registration }, filter);
      return;
    }
    const { checkpoints, log } = store;
    new NamedSubscription({
      name,
      predecessor: [...this.#ending].findLast((ending) => ending.name === name)?.close(),
      registration,
      checkpoints,
      log,
      pump,
      from,
      maxReplayEvents,
      leaseMs,
      surroundings,
      observers,
    });
  }

  #startOf({ from, name }: SubscribeOptions): StartingPoint {
    if (from !== undefined) return from;
    if (name !== undefined || this.#isStarted) return "latest";
    this.#isStarted = true;
    return this.#context.constructedAt;
  }

  #remember(registration: Registration): void {
    const { label, name } = registration;
    this.#all.add(registration);
    if (name !== undefined) this.#names.add(name);
    this.#context.observers.tell({ kind: "subscriberOpened", level: "debug", subscriber: label });
  }
}
