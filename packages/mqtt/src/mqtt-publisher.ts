import {
  formatPosition,
  steadyClock,
  StarcastError,
  type AnyBroker,
  type DrainPlan,
  type Position,
  type Subscription,
} from "@starcast/core";
import { resolveMqttPublisherOptions, type MqttPublisherOptions } from "./options.ts";
import { PublishingSubscriber } from "./publishing-subscriber.ts";
import type { StateEntries } from "./state-options.ts";

/** How often a drain looks whether everything is published. */
const lookEveryMs = 20;

/**
 * Publishes a broker's events to an MQTT broker, in order, from its own place in the log: what the MQTT broker has not
 * acknowledged is offered again after any outage, and the place moves only past what it has.
 */
export class MqttPublisher {
  readonly name: string;
  readonly #broker: AnyBroker;
  readonly #subscriber: PublishingSubscriber;
  readonly #subscription: Subscription;
  readonly #unregister: () => void;

  /** Throws `InvalidOptionError` for options that cannot be used, `name_taken` when the broker has a part of that name. */
  constructor(broker: AnyBroker, options: MqttPublisherOptions) {
    const resolved = resolveMqttPublisherOptions(options);
    const { name, filter, from } = resolved;
    this.name = name;
    this.#broker = broker;
    this.#subscriber = new PublishingSubscriber(broker, resolved);
    this.#unregister = broker.register({
      name,
      stage: "publishers",
      size: 0,
      // It has no intake but the log, which the broker stops.
      stop: () => undefined,
      drain: (plan) => this.#drain(plan),
    });
    try {
      this.#subscription = broker.attach(this.#subscriber, { ...filter, name, from });
    } catch (error) {
      this.#unregister();
      throw error;
    }
  }

  /** True while the MQTT broker takes publications. */
  get isConnected(): boolean {
    return this.#subscriber.isOnline;
  }

  /** Everything up to here is published and acknowledged, or was told as lost; null until the place is known. */
  get position(): Position | null {
    return this.#subscriber.position;
  }

  /** Tries to connect at once, whatever it waits for; with credentials that were refused, too. */
  reconnect(): void {
    if (!this.#subscription.isClosed && this.#subscriber.connection.state === "waiting")
      this.#subscriber.connection.start();
  }

  /**
   * Makes the mirror exactly what the entries (or `state.snapshot`) say, as soon as there is a connection. The entries MUST
   * be as new as the moment of the call. Rejects with `connection_failed` when the connection ends meanwhile.
   */
  async resync(entries?: StateEntries): Promise<void> {
    const { keeper } = this.#subscriber;
    if (keeper === null) {
      throw new StarcastError("unsupported", "Expected a publisher with `state`, got one without a mirror");
    }
    await keeper.resync(entries);
  }

  /** Stops publishing, waits for acknowledgements, says good-bye; its place is kept. Idempotent. */
  async close(): Promise<void> {
    await this.#subscription.close();
    this.#unregister();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drain({ deadline }: DrainPlan): Promise<readonly string[]> {
    const { clock: timeOfDay, scheduler } = this.#broker.surroundings;
    const clock = steadyClock(timeOfDay);
    const endsAt = clock.now() + deadline - timeOfDay.now();
    // What a durable log keeps is published after the next start; waiting for an MQTT broker that is away gains nothing.
    const isKept = this.#broker.store.log.durability !== "memory";
    const mayWait = (): boolean => clock.now() < endsAt && (this.isConnected || !isKept);
    while (!this.#isDone && mayWait()) {
      const restMs = Math.min(lookEveryMs, endsAt - clock.now());
      await new Promise<void>((resolve) => void scheduler.after(restMs, resolve, { holdsProcess: true }));
    }
    const isDone = this.#isDone;
    const { position } = this;
    await this.#subscriber.end(Math.max(0, endsAt - clock.now()));
    // Its cursor is nothing to wait for any more, and its lease another's to take.
    await this.#subscription.close();
    if (isDone) return [];
    const after = position === null ? "where it started" : formatPosition(position);
    const fate = isKept ? "they stay in the log" : "they are lost with the memory log";
    return [`${this.name}: events after ${after} are not acknowledged by the MQTT broker; ${fate}`];
  }

  get #isDone(): boolean {
    const { position } = this.#subscription;
    return !this.#subscriber.isBusy && position !== null && position.offset >= this.#broker.position.offset;
  }
}
