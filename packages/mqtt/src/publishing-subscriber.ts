import {
  formatPosition,
  StarcastError,
  steadyClock,
  type AnyBroker,
  type Batch,
  type CloseReason,
  type Gap,
  type Line,
  type LogEvent,
  type Position,
  type Subscriber,
  type Timer,
} from "@starcast/core";
import { makeClientId, missingAbility, windowLimit } from "./abilities.ts";
import { MqttConnection } from "./connection.ts";
import { InFlightWindow, type InFlightItem } from "./in-flight-window.ts";
import { Losses } from "./losses.ts";
import type { Message } from "./message.ts";
import { MirrorKeeper } from "./mirror-keeper.ts";
import { Mirror } from "./mirror.ts";
import type { MqttSession, SessionFacts } from "./mqtt-session.ts";
import type { ResolvedMqttPublisherOptions } from "./options.ts";
import { Packets } from "./packet.ts";
import { Rate } from "./rate.ts";
import { MqttReasonError } from "./reason-codes.ts";
import { rendition } from "./rendering.ts";
import { StatusReporter } from "./status-reporter.ts";

/** How long an end waits for acknowledgements when nobody gave a deadline. */
export const endWithinMs = 5_000;

/** How long a good-bye may take before the connection is cut. */
const goodByeMs = 1_000;

interface Online {
  readonly session: MqttSession;
  readonly facts: SessionFacts;
}

/** What happens between the log and one MQTT broker: takes events while there is a connection with room, rewinds when it breaks. */
export class PublishingSubscriber implements Subscriber {
  readonly connection: MqttConnection;
  readonly keeper: MirrorKeeper | null;
  readonly #broker: AnyBroker;
  readonly #options: ResolvedMqttPublisherOptions;
  readonly #window: InFlightWindow;
  readonly #packets: Packets;
  readonly #mirror: Mirror | null;
  readonly #status: StatusReporter;
  readonly #losses: Losses;
  readonly #rate: Rate;
  #line: Line | null = null;
  #online: Online | null = null;
  /** Told while there was no connection to tell them on. */
  #gaps: Gap[] = [];
  #acknowledged: Position | null = null;
  /** Up to here QoS 0 was sent: never twice. */
  #sentThrough = 0;
  #throttle: Timer | null = null;
  /** The session whose socket is full. */
  #draining: MqttSession | null = null;
  #ending: Promise<void> | null = null;

  constructor(broker: AnyBroker, options: ResolvedMqttPublisherOptions) {
    const { name, target, connection, credentials, needsVersion5, state, status } = options;
    const { surroundings } = broker;
    this.#broker = broker;
    this.#options = options;
    this.#packets = new Packets(options.rules);
    this.#rate = new Rate(options.maxEventsPerSecond, surroundings.clock);
    this.#window = new InFlightWindow({
      ackTimeoutMs: connection.ackTimeoutMs,
      surroundings,
      onAcknowledged: (through) => this.#acknowledge(through),
      onRoom: () => this.#line?.ready(),
      onRefused: (error, item) => this.#refused(error, item),
      onOverdue: (error) => this.connection.fail(error),
    });
    this.#mirror = state === null ? null : new Mirror(state, broker.vocabulary, surroundings);
    this.keeper =
      this.#mirror === null
        ? null
        : new MirrorKeeper({
            mirror: this.#mirror,
            snapshot: state?.snapshot ?? null,
            publisher: name,
            observe: (moment) => broker.observe(moment),
            onChanged: () => this.#mirrorChanged(),
          });
    this.#status = new StatusReporter({
      options: status,
      window: this.#window,
      surroundings,
      position: () => this.position,
      mirror: () => this.keeper?.state ?? null,
    });
    this.#losses = new Losses(broker, name, this.#status);
    const clientId = connection.clientId ?? makeClientId(name, surroundings.random);
    this.connection = new MqttConnection(
      { target, options: connection, clientId, credentials, needsVersion5, surroundings },
      {
        will: () => this.#status.will(),
        onOnline: (session, facts) => this.#wentOnline(session, facts),
        onOffline: (error, retryInMs) => this.#wentOffline(error, retryInMs),
        onMessage: (message) => {
          this.#mirror?.hear(message);
          message.done();
        },
      },
    );
  }

  get isOnline(): boolean {
    return this.#online !== null;
  }

  /** True while something was taken or told that the MQTT broker has not acknowledged. */
  get isBusy(): boolean {
    return !this.#window.isEmpty || this.#gaps.length > 0;
  }

  /** Everything up to here is acknowledged; with nothing in flight, what the filter left out is dealt with, too. */
  get position(): Position | null {
    return this.isOnline && !this.isBusy ? (this.#line?.position ?? this.#acknowledged) : this.#acknowledged;
  }

  open(line: Line): void {
    this.#line = line;
    this.#gaps = [];
    if (line.start.isResumed) this.#acknowledged ??= line.start.position;
    if (this.#ending === null && this.connection.state === "idle") this.connection.start();
  }

  /** The place is another process's: so are the status, the mirror, and what is in flight. */
  suspend(): void {
    this.#acknowledged = null;
    if (this.#ending !== null) return;
    const error = new StarcastError("lease_lost", "Expected to hold the place in the log, got another holder");
    if (this.isOnline) this.#tellOffline(error, null);
    this.#leave();
    // With a good-bye, so that the will is not said over the other's word.
    void this.connection.rest(goodByeMs);
  }

  deliver(batch: Batch): number {
    const online = this.#online;
    if (online === null || this.#ending !== null || this.#throttle !== null || this.keeper?.isBusy === true) return 0;
    let taken = 0;
    online.session.together(() => {
      for (const event of batch.events) {
        if (!this.#hasRoom(online)) break;
        this.#take(event, online.facts);
        taken += 1;
      }
    });
    return taken;
  }

  gap(gap: Gap): void {
    this.keeper?.markStale();
    if (this.#online === null) this.#gaps.push(gap);
    else this.#window.take(gap.through, this.#status.loss(gap), "gap");
  }

  close(_reason: CloseReason): Promise<void> {
    return this.end(endWithinMs);
  }

  /** Takes nothing more, waits so long for acknowledgements, says good-bye. Idempotent. */
  end(withinMs: number): Promise<void> {
    this.#ending ??= this.#end(withinMs);
    return this.#ending;
  }

  /** Says when there will be room, where nothing else will. */
  #hasRoom({ session }: Online): boolean {
    if (this.#window.isFull || this.#online?.session !== session) return false;
    if (session.isFull) {
      this.#awaitDrain(session);
      return false;
    }
    if (this.#rate.take()) return true;
    this.#throttle ??= this.#broker.surroundings.scheduler.after(this.#rate.waitMs, () => {
      this.#throttle = null;
      this.#line?.ready();
    });
    return false;
  }

  /** One listener per fullness, however often acknowledgements make us look. */
  #awaitDrain(session: MqttSession): void {
    if (this.#draining === session) return;
    this.#draining = session;
    session.onDrain(() => {
      this.#draining = null;
      this.#line?.ready();
    });
  }

  #take(event: LogEvent, facts: SessionFacts): void {
    const { epoch, offset } = event;
    const position = { epoch, offset };
    const own = this.#losses.poisonAt(offset) ?? rendition(event, this.#packets, facts.maximumPacketBytes);
    const state = this.#mirror === null ? null : rendition(event, this.#mirror, facts.maximumPacketBytes);
    const messages =
      own instanceof StarcastError ? this.#losses.lose(position, own) : this.#maySend(own, offset) ? [own] : [];
    if (state instanceof StarcastError) this.keeper?.markStale();
    this.#window.take(position, state === null || state instanceof StarcastError ? messages : [...messages, state]);
  }

  // At most once is what QoS 0 promises: one that was sent is not sent again after a rewind.
  #maySend({ qos }: Message, offset: number): boolean {
    if (qos > 0) return true;
    if (offset <= this.#sentThrough) return false;
    this.#sentThrough = offset;
    return true;
  }

  #acknowledge(through: Position): void {
    this.#acknowledged = through;
    this.#line?.acknowledge(through);
  }

  #refused(error: StarcastError, item: InFlightItem): void {
    const { through } = item;
    const label = item.label ?? (through === null ? "status" : formatPosition(through));
    const { name: publisher } = this.#options;
    this.#broker.observe({ kind: "mqttPublicationRefused", level: "warn", publisher, label, error });
    // A status or a state that is refused changes nothing for the events.
    if (through === null && item.label !== null) this.keeper?.refused(error);
    if (through === null) return this.#window.replace(item, []);
    if (error instanceof MqttReasonError && error.remedy === "drop") {
      return this.#window.replace(item, this.#losses.lose(through, error));
    }
    this.connection.fail(error);
  }

  #wentOnline(session: MqttSession, facts: SessionFacts): void {
    const problem = missingAbility(this.#options, facts);
    if (problem !== null) return this.connection.fail(problem);
    this.#online = { session, facts };
    this.#window.open(windowLimit(this.#options, facts), (message, onDone) => session.publish(message, onDone));
    const { name: publisher, target } = this.#options;
    const version = facts.version === 5 ? "5" : "3.1.1";
    this.#broker.observe({ kind: "mqttConnected", level: "info", publisher, url: target.text, version });
    this.#status.start();
    for (const gap of this.#gaps.splice(0)) this.gap(gap);
    this.keeper?.start({ session, window: this.#window, maximumPacketBytes: facts.maximumPacketBytes });
    this.#line?.ready();
  }

  #wentOffline(error: StarcastError, retryInMs: number | null): void {
    const hadMore = !this.#window.isEmpty;
    if (error instanceof MqttReasonError && error.remedy === "drop") {
      this.#losses.blame(this.#window.first, error);
      this.keeper?.blame();
    }
    this.#leave();
    this.#tellOffline(error, retryInMs);
    // On a new line everything that was in flight is offered again.
    if (hadMore) this.#line?.rewind();
  }

  #tellOffline(error: StarcastError, retryInMs: number | null): void {
    const { name: publisher, target } = this.#options;
    this.#broker.observe({ kind: "mqttDisconnected", level: "warn", publisher, url: target.text, error, retryInMs });
  }

  #leave(): void {
    this.#online = null;
    this.#status.stop();
    this.keeper?.stop();
    this.#window.close();
  }

  #mirrorChanged(): void {
    if (this.isOnline) this.#status.tell();
    this.#line?.ready();
  }

  async #end(withinMs: number): Promise<void> {
    const { scheduler } = this.#broker.surroundings;
    const clock = steadyClock(this.#broker.surroundings.clock);
    const deadline = clock.now() + withinMs;
    this.#throttle?.cancel();
    this.keeper?.close();
    if (this.isOnline) this.#status.sayClosed();
    const timer = scheduler.after(withinMs, () => this.#window.close(), { holdsProcess: true });
    await this.#window.empty();
    timer.cancel();
    this.#leave();
    await this.connection.close(Math.max(100, Math.min(goodByeMs, deadline - clock.now())));
  }
}
