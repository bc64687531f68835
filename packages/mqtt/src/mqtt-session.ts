import { StarcastError, type Surroundings, type Timer } from "@starcast/core";
import { connect, type IConnackPacket, type MqttClient } from "mqtt";
import { clientOptions, type DialPlan } from "./client-options.ts";
import { AnswerSieve } from "./answer-sieve.ts";
import type { OnDone } from "./exchanges.ts";
import { mqttPacketBytes, type Message } from "./message.ts";
import type { MqttTarget } from "./mqtt-url.ts";
import { Outbox } from "./outbox.ts";
import { PacketIds } from "./packet-ids.ts";
import { connectionRefused, unreadableRefusal } from "./reason-codes.ts";
import { TopicAliases } from "./topic-aliases.ts";

/** What the MQTT broker said of itself when it took the connection. */
export interface SessionFacts {
  readonly version: 5 | 4;
  readonly receiveMaximum: number;
  readonly maximumPacketBytes: number;
  readonly maximumQos: number;
  readonly canRetain: boolean;
}

/** How a session ended. Told exactly once. */
export interface SessionEnd {
  readonly error: StarcastError;
  /** The MQTT broker was reached, and hung up without a word: as some do that do not know MQTT 5. */
  readonly isSpeechless: boolean;
}

export interface SessionHandlers {
  onOnline(facts: SessionFacts): void;
  onEnded(end: SessionEnd): void;
  onMessage?(message: IncomingMessage): void;
}

/** A message of a subscription. */
export interface IncomingMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly isRetained: boolean;
  /** Acknowledges it, and lets the next one come: nothing is read before. */
  done(): void;
}

/**
 * One network connection, from dialling to its end. mqtt.js dials, subscribes and receives; it neither reconnects nor queues,
 * and publications and their answers go past it. What was not acknowledged when the connection ends is gone, and the caller's to repeat.
 */
export class MqttSession {
  readonly #client: MqttClient;
  readonly #handlers: SessionHandlers;
  readonly #plan: DialPlan;
  readonly #deadline: Timer;
  readonly #ids = new PacketIds();
  #outbox: Outbox | null = null;
  #state: "dialling" | "online" | "ended" = "dialling";
  #error: StarcastError | null = null;
  #isErrorOfPeer = false;

  constructor(plan: DialPlan, handlers: SessionHandlers) {
    this.#plan = plan;
    this.#handlers = handlers;
    const { connectTimeoutMs } = plan.options;
    this.#deadline = plan.surroundings.scheduler.after(
      connectTimeoutMs,
      () =>
        this.fail(
          new StarcastError(
            "timed_out",
            `Expected the MQTT broker at ${plan.target.text} to answer within ${connectTimeoutMs} ms, got nothing`,
          ),
        ),
      { holdsProcess: true },
    );
    this.#client = connect(clientOptions(plan, this.#ids));
    this.#client.on("connect", (packet) => this.#online(packet));
    this.#client.on("packetreceive", (packet) => {
      const reasonCode = "reasonCode" in packet ? packet.reasonCode : 0;
      this.#hear(packet.cmd, packet.messageId ?? 0, reasonCode ?? 0);
    });
    this.#sift();
    this.#client.on("disconnect", ({ reasonCode }) => this.fail(connectionRefused(reasonCode ?? 0x80)));
    this.#client.on("error", (error) => this.#failed(error, plan.target));
    this.#client.on("close", () => this.#ended(plan.target));
    this.#client.handleMessage = ({ topic, payload, retain }, done) => {
      if (handlers.onMessage === undefined) return done();
      handlers.onMessage({ topic, payload: Buffer.from(payload), isRetained: retain, done });
    };
  }

  /** True when the socket has taken more than it can send for now; `onDrain` says when that is over. */
  get isFull(): boolean {
    const { stream } = this.#client;
    return "writableNeedDrain" in stream && stream.writableNeedDrain === true;
  }

  onDrain(run: () => void): void {
    this.#client.stream.once("drain", run);
  }

  /** What is published inside leaves in one write, or in as few as its size allows. */
  together(publishing: () => void): void {
    this.#outbox?.together(publishing);
  }

  /** Sends one publication. `onDone` hears of its acknowledgement or refusal; never, when the session ends before. QoS 0 is done at once. */
  publish(message: Message, onDone: OnDone): void {
    if (this.#state === "online") this.#outbox?.publish(message, onDone);
  }

  /** Asks for the messages of a topic filter; resolves when the MQTT broker has agreed. */
  async subscribe(filter: string, qos: 0 | 1 | 2): Promise<void> {
    try {
      await this.#client.subscribeAsync(filter, { qos });
    } catch (cause) {
      throw new StarcastError(
        "not_authorized",
        `Expected the MQTT broker to let this client read \`${filter}\`, got a refusal`,
        { cause },
      );
    }
  }

  async unsubscribe(filter: string): Promise<void> {
    if (this.#state === "online") await this.#client.unsubscribeAsync(filter);
  }

  /** Ends the connection as a broken one. */
  fail(error: StarcastError): void {
    if (this.#state === "ended") return;
    this.#markEnded();
    // Only now: mqtt.js refuses at once whatever it was asked.
    this.#client.end(true);
    this.#handlers.onEnded({ error, isSpeechless: false });
  }

  /** Says good-bye, so that the will stays unsaid, and resolves when the socket is closed, or after `withinMs`. Tells nobody. */
  async close(withinMs: number, { scheduler }: Surroundings): Promise<void> {
    if (this.#state === "ended") return;
    const wasOnline = this.#state === "online";
    this.#markEnded();
    await new Promise<void>((resolve) => {
      const timer = scheduler.after(withinMs, () => this.#client.stream.destroy(), { holdsProcess: true });
      this.#client.once("close", () => {
        timer.cancel();
        resolve();
      });
      // A subscription without an answer is no reason to wait.
      if (wasOnline) this.#client.outgoing = {};
      this.#client.end(!wasOnline);
    });
  }

  #online(packet: IConnackPacket): void {
    if (this.#state !== "dialling") return;
    this.#state = "online";
    this.#deadline.cancel();
    const { version, options, surroundings } = this.#plan;
    const properties = packet.properties ?? {};
    this.#outbox = new Outbox({
      version,
      ids: this.#ids,
      aliases: new TopicAliases(options.topicAliases ? (properties.topicAliasMaximum ?? 0) : 0),
      scheduler: surroundings.scheduler,
      write: (bytes) => void (this.#state === "online" && this.#client.stream.write(bytes)),
    });
    this.#handlers.onOnline({
      version,
      receiveMaximum: properties.receiveMaximum ?? 65_535,
      maximumPacketBytes: properties.maximumPacketSize ?? mqttPacketBytes,
      maximumQos: properties.maximumQoS ?? 2,
      canRetain: properties.retainAvailable ?? true,
    });
  }

  // What mqtt.js reads from its stream goes through the sieve. An mqtt.js that reads otherwise says itself what it received.
  #sift(): void {
    const { stream } = this.#client;
    const [read, ...more] = stream.listeners("data");
    if (read === undefined || more.length > 0) return;
    const sieve = new AnswerSieve({
      onAnswer: (kind, id, reasonCode) => this.#hear(kind, id, reasonCode),
      onRest: (bytes) => void read.call(stream, bytes),
    });
    stream.off("data", read as () => void);
    stream.on("data", (chunk: Uint8Array) => sieve.sift(chunk));
  }

  #hear(kind: string, id: number, reasonCode: number): void {
    if (this.#state !== "online" || this.#outbox?.hear(kind, id, reasonCode) !== false) return;
    this.#brokeRules(`${kind} for something else in flight`);
  }

  // A peer that breaks the rules cannot be trusted with what is in flight.
  #brokeRules(got: string, cause?: Error): void {
    const message = `Expected the MQTT broker at ${this.#plan.target.text} to keep to the protocol, got: ${got}`;
    this.fail(new StarcastError("connection_failed", message, { cause }));
  }

  #failed(error: Error, target: MqttTarget): void {
    const code: unknown = "code" in error ? error.code : undefined;
    if (typeof code === "number") {
      this.#error ??= connectionRefused(code);
    } else if (typeof code === "string") {
      this.#isErrorOfPeer = code === "ECONNRESET" || code === "EPIPE";
      this.#error ??= new StarcastError(
        "connection_failed",
        `Expected to reach the MQTT broker at ${target.text}, got ${code}`,
        { cause: error },
      );
    } else if (/^Invalid pub(?:ack|rec|comp) reason code/.test(error.message)) {
      this.fail(unreadableRefusal());
    } else {
      // mqtt.js goes on after a protocol error.
      this.#brokeRules(error.message, error);
    }
  }

  #ended(target: MqttTarget): void {
    const isSpeechless = this.#state === "dialling" && (this.#error === null || this.#isErrorOfPeer);
    const error =
      this.#error ??
      new StarcastError(
        "connection_failed",
        `Expected the MQTT broker at ${target.text} to keep the connection, got its end`,
      );
    if (this.#state === "ended") return;
    this.#markEnded();
    this.#handlers.onEnded({ error, isSpeechless });
  }

  #markEnded(): void {
    this.#state = "ended";
    this.#deadline.cancel();
  }
}
