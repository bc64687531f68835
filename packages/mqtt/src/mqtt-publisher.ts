import { formatPosition, StarcastError, type AnyBroker, type Batch, type DrainPlan, type Gap, type Line, type LogEvent, type Position, type Subscription, type Timer } from "@starcast/core";
import { MqttConnection } from "./connection.ts";
import { InFlightWindow, type InFlightItem } from "./in-flight-window.ts";
import type { Message } from "./message.ts";
import { Mirror } from "./mirror.ts";
import { MirrorKeeper } from "./mirror-keeper.ts";
import type { MqttSession, SessionFacts } from "./mqtt-session.ts";
import { resolveMqttPublisherOptions, type MqttPublisherOptions, type ResolvedMqttPublisherOptions } from "./options.ts";
import { Packets } from "./packet.ts";
import { Rate } from "./rate.ts";
import { MqttReasonError } from "./reason-codes.ts";
import { renderEvent } from "./rendering.ts";
import type { StateEntries } from "./state-options.ts";
import { StatusReporter } from "./status-reporter.ts";

/** How long `close` waits for acknowledgements when nobody gave a deadline. */
export const closeWithinMs = 5_000;

/**
 * QoS 2 in flight over MQTT 3.1.1, where an MQTT broker cannot say how much it keeps: Mosquitto and VerneMQ keep 20 by
 * default, and Mosquitto 2.0.11 was seen to acknowledge and forget what is beyond.
 */
export const maxUntoldQos2 = 16;

/** How often a drain looks whether everything is published. */
const lookEveryMs = 20;

type Online = { readonly session: MqttSession; readonly facts: SessionFacts };

/**
 * Publishes a broker's events to an MQTT broker, in order, from its own place in the log: what the MQTT broker has not
 * acknowledged is offered again after any outage, and the place moves only past what it has.
 */
export class MqttPublisher {
  readonly name: string;
  readonly #broker: AnyBroker;
  readonly #options: ResolvedMqttPublisherOptions;
  readonly #connection: MqttConnection;
  readonly #window: InFlightWindow;
  readonly #packets: Packets;
  readonly #mirror: Mirror | null;
  readonly #keeper: MirrorKeeper | null;
  readonly #status: StatusReporter;
  readonly #rate: Rate;
  readonly #subscription: Subscription;
  readonly #unregister: () => void;
  #line: Line | null = null;
  #online: Online | null = null;
  /** Told while there was no connection to tell them on. */
  #gaps: Gap[] = [];
  #acknowledged: Position | null = null;
  /** Up to here QoS 0 was sent: never twice. */
  #sentThrough = 0;
  /** Up to here losses were counted: a rewind offers them again. */
  #lostThrough = 0;
  #isThrottled = false;
  #throttle: Timer | null = null;
  #closing: Promise<void> | null = null;

  constructor(broker: AnyBroker, options: MqttPublisherOptions) {
    const resolved = resolveMqttPublisherOptions(options);
    const { name, target, connection, credentials, needsVersion5, filter, from } = resolved;
    const { surroundings } = broker;
    this.name = name;
    this.#broker = broker;
    this.#options = resolved;
    this.#packets = new Packets(resolved.rules);
    this.#rate = new Rate(resolved.maxEventsPerSecond, surroundings.clock);
    this.#mirror = resolved.state === null ? null : new Mirror(resolved.state, broker.vocabulary, surroundings);
    this.#keeper = this.#mirror === null ? null : new MirrorKeeper({ mirror: this.#mirror, snapshot: resolved.state?.snapshot ?? null, snapshotTimeoutMs: resolved.state?.snapshotTimeoutMs ?? 0, publisher: name, observe: (moment) => broker.observe(moment), onChanged: () => this.#mirrorChanged() });
    this.#window = new InFlightWindow({
      ackTimeoutMs: connection.ackTimeoutMs,
      surroundings,
      onAcknowledged: (through) => this.#acknowledge(through),
      onRoom: () => this.#line?.ready(),
      onRefused: (error, item) => this.#refused(error, item),
      onOverdue: (waitedMs) => this.#connection.fail(new StarcastError("timed_out", `Expected the MQTT broker to acknowledge within ${connection.ackTimeoutMs} ms, got nothing for ${waitedMs} ms`)),
    });
    this.#status = new StatusReporter({ options: resolved.status, window: this.#window, surroundings, position: () => this.#place(), mirror: () => this.#keeper?.state ?? null });
    this.#connection = new MqttConnection(
      { target, options: connection, clientId: connection.clientId ?? makeClientId(name, surroundings.random), credentials, needsVersion5, surroundings },
      {
        will: () => this.#status.will(),
        onOnline: (session, facts) => this.#wentOnline(session, facts),
        onOffline: (error, retryInMs) => this.#wentOffline(error, retryInMs),
        onMessage: (topic, payload, isRetained) => this.#mirror?.hear(topic, payload, isRetained),
      },
    );
    this.#unregister = broker.register({
      name,
      stage: "publishers",
      size: 0,
      stop: () => undefined,
      drain: (plan) => this.#drain(plan),
    });
    try {
      this.#subscription = broker.attach(
        { open: (line) => this.#open(line), deliver: (batch) => this.#deliver(batch), gap: (gap) => this.#gap(gap), close: () => this.#shutDown(broker.surroundings.clock.now() + closeWithinMs) },
        { ...filter, name, ...(from === undefined ? {} : { from }) },
      );
    } catch (error) {
      this.#unregister();
      throw error;
    }
  }

  /** True while the MQTT broker takes publications. */
  get isConnected(): boolean {
    return this.#online !== null;
  }

  /** Everything up to here is published and acknowledged, or was told as lost; null until the place is known. */
  get position(): Position | null {
    return this.#place();
  }

  /** Tries to connect at once, whatever it is waiting for, with credentials that were refused, too. */
  reconnect(): void {
    if (this.#closing === null && this.#line !== null) this.#connection.start();
  }

  /**
   * Makes the mirror exactly what the entries (or `state.snapshot`) say, as soon as there is a connection. The entries MUST
   * be as new as the moment of the call. Rejects with `connection_failed` when the connection ends meanwhile.
   */
  async resync(entries?: StateEntries): Promise<void> {
    if (this.#keeper === null) throw new StarcastError("unsupported", "Expected a publisher with `state`, got one without a mirror");
    await this.#keeper.resync(entries);
  }

  /** Stops publishing, waits for acknowledgements, says good-bye; its place is kept. Idempotent. */
  async close(): Promise<void> {
    await this.#subscription.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(line: Line): void {
    this.#line = line;
    this.#gaps = [];
    this.#acknowledged ??= line.start.isResumed || line.start.position.offset === this.#broker.position.offset ? line.start.position : null;
    if (this.#closing !== null) return;
    // What an earlier line has in flight may still be answered, and counts against the MQTT broker's limit.
    if (this.#online !== null && !this.#window.isEmpty) this.#connection.fail(new StarcastError("lease_lost", "Expected to keep the place in the log, got another line"));
    else if (this.#connection.state === "idle") this.#connection.start();
  }

  #deliver(batch: Batch): number {
    const online = this.#online;
    if (online === null || this.#closing !== null || this.#isThrottled || this.#keeper?.isBusy === true) return 0;
    const { events } = batch;
    let taken = 0;
    online.session.together(() => {
      for (const event of events) {
        if (this.#window.isFull || this.#online !== online) break;
        if (online.session.isFull) {
          online.session.onDrain(() => this.#line?.ready());
          break;
        }
        if (!this.#rate.take()) {
          this.#throttleFor(this.#rate.waitMs);
          break;
        }
        this.#take(event, online.facts);
        taken += 1;
      }
    });
    return taken;
  }

  #take(event: LogEvent, facts: SessionFacts): void {
    const rendition = renderEvent(event, this.#packets, this.#mirror, facts.maximumPacketBytes);
    const position = { epoch: event.epoch, offset: event.offset };
    const messages: Message[] = [];
    if (rendition.loss !== null) messages.push(...this.#lose(position, event.id, rendition.loss));
    if (rendition.event !== null && this.#maySend(rendition.event, event.offset)) messages.push(rendition.event);
    if (rendition.state !== null) messages.push(rendition.state);
    if (rendition.stateLoss !== null) this.#keeper?.markStale();
    this.#window.take(position, messages);
  }

  // At most once is what QoS 0 promises: one that was sent is not sent again after a rewind.
  #maySend({ qos }: Message, offset: number): boolean {
    if (qos > 0) return true;
    if (offset <= this.#sentThrough) return false;
    this.#sentThrough = offset;
    return true;
  }

  /** Counts and tells a loss; gives what has to be acknowledged before the place may move past it. */
  #lose(position: Position, id: string, error: StarcastError): readonly Message[] {
    if (position.offset > this.#lostThrough) {
      this.#lostThrough = position.offset;
      this.#broker.countDropped(error.code, 1);
      this.#broker.observe({ kind: "mqttEventLost", level: "warn", publisher: this.name, id, code: error.code, message: error.message });
    }
    return this.#status.loss({ after: { ...position, offset: position.offset - 1 }, through: position, reason: error.code });
  }

  #gap(gap: Gap): void {
    this.#keeper?.markStale();
    if (this.#online === null) this.#gaps.push(gap);
    else this.#window.take(gap.through, this.#status.loss(gap), "gap");
  }

  #acknowledge(through: Position): void {
    this.#acknowledged = through;
    this.#line?.acknowledge(through);
  }

  #refused(error: StarcastError, item: InFlightItem): void {
    this.#broker.observe({ kind: "mqttPublicationRefused", level: "warn", publisher: this.name, label: item.label, error });
    // A status that is refused changes nothing for the events.
    if (item.through === null) return this.#window.replace(item, []);
    if (error instanceof MqttReasonError && error.remedy === "drop") {
      return this.#window.replace(item, this.#lose(item.through, formatPosition(item.through), error));
    }
    this.#connection.fail(error);
  }

  #wentOnline(session: MqttSession, facts: SessionFacts): void {
    const problem = missingAbility(this.#options, facts);
    if (problem !== null) return this.#connection.fail(problem);
    const { target } = this.#options;
    this.#online = { session, facts };
    this.#window.open(limitOf(this.#options, facts), (message, onDone) => session.publish(message, onDone));
    this.#broker.observe({ kind: "mqttConnected", level: "info", publisher: this.name, url: target.text, version: facts.version === 5 ? "5" : "3.1.1" });
    this.#status.start();
    for (const gap of this.#gaps.splice(0)) this.#gap(gap);
    this.#keeper?.start({ session, window: this.#window });
    this.#line?.ready();
  }

  #wentOffline(error: StarcastError, retryInMs: number | null): void {
    const hadMore = !this.#window.isEmpty;
    this.#online = null;
    this.#status.stop();
    this.#keeper?.stop();
    this.#window.close();
    this.#broker.observe({ kind: "mqttDisconnected", level: "warn", publisher: this.name, url: this.#options.target.text, error, retryInMs });
    // On a new line everything that was in flight is offered again.
    if (hadMore) this.#line?.rewind();
  }

  #mirrorChanged(): void {
    this.#status.tell();
    this.#line?.ready();
  }

  #throttleFor(ms: number): void {
    this.#isThrottled = true;
    this.#throttle = this.#broker.surroundings.scheduler.after(ms, () => {
      this.#isThrottled = false;
      this.#line?.ready();
    });
  }

  /** With nothing in flight, what the filter left out is dealt with, too. */
  #place(): Position | null {
    return this.#window.isEmpty && this.#online !== null ? (this.#subscription.position ?? this.#acknowledged) : this.#acknowledged;
  }

  get #isDone(): boolean {
    const { position } = this.#subscription;
    return this.#window.isEmpty && this.#gaps.length === 0 && position !== null && position.offset >= this.#broker.position.offset;
  }

  async #drain({ deadline }: DrainPlan): Promise<readonly string[]> {
    const { clock, scheduler } = this.#broker.surroundings;
    // What a durable log keeps is published after the next start; waiting for an MQTT broker that is away gains nothing.
    const isKept = this.#broker.store.log.durability !== "memory";
    while (!this.#isDone && clock.now() < deadline && (this.#online !== null || !isKept)) {
      await new Promise<void>((resolve) => void scheduler.after(Math.min(lookEveryMs, deadline - clock.now()), resolve, { holdsProcess: true }));
    }
    const isDone = this.#isDone;
    const after = this.#acknowledged === null ? "the start" : formatPosition(this.#acknowledged);
    await this.#shutDown(deadline);
    return isDone ? [] : [`${this.name}: events after ${after} are not acknowledged by the MQTT broker${isKept ? ", and stay in the log" : ""}`];
  }

  #shutDown(deadline: number): Promise<void> {
    this.#closing ??= this.#end(deadline);
    return this.#closing;
  }

  async #end(deadline: number): Promise<void> {
    const { clock, scheduler } = this.#broker.surroundings;
    this.#throttle?.cancel();
    this.#keeper?.stop();
    this.#status.stop();
    if (this.#online !== null) this.#status.sayClosed();
    const timer = scheduler.after(Math.max(0, deadline - clock.now()), () => this.#window.close(), { holdsProcess: true });
    await this.#window.empty();
    timer.cancel();
    this.#online = null;
    await this.#connection.close(Math.max(100, Math.min(1_000, deadline - clock.now())));
    this.#window.close();
    this.#unregister();
  }
}

function limitOf({ maxInFlight, rules }: ResolvedMqttPublisherOptions, facts: SessionFacts): number {
  const isUntold = facts.version === 4 && rules.some(({ qos }) => qos === 2);
  return Math.min(maxInFlight, facts.receiveMaximum, isUntold ? maxUntoldQos2 : Infinity);
}

function missingAbility({ rules, state, status }: ResolvedMqttPublisherOptions, facts: SessionFacts): StarcastError | null {
  const qos = Math.max(...rules.map((rule) => rule.qos));
  if (qos > facts.maximumQos) return new StarcastError("unsupported", `Expected an MQTT broker that takes QoS ${qos} (\`qos\`), got one that takes ${facts.maximumQos} at most`);
  const wanted = [...(rules.some((rule) => rule.retain) ? ["`retain`"] : []), ...(state === null ? [] : ["`state`"]), ...(status === null ? [] : ["`status`"])];
  if (facts.canRetain || wanted.length === 0) return null;
  return new StarcastError("unsupported", `Expected an MQTT broker that retains, which ${wanted.join(", ")} needs, got one that does not`);
}

function makeClientId(name: string, random: { next(): number }): string {
  const characters = "abcdefghijklmnopqrstuvwxyz0123456789";
  const unique = Array.from({ length: 12 }, () => characters[Math.floor(random.next() * characters.length)]).join("");
  return `starcast-${name}-${unique}`;
}
