import type { Scheduler } from "@starcast/core";
import { Exchanges, type OnDone } from "./exchanges.ts";
import type { Message } from "./message.ts";
import type { PacketIds } from "./packet-ids.ts";
import { PacketWriter } from "./packet-writer.ts";
import type { TopicAliases } from "./topic-aliases.ts";

export interface OutboxOptions {
  readonly version: 5 | 4;
  readonly ids: PacketIds;
  readonly aliases: TopicAliases;
  readonly scheduler: Scheduler;
  readonly write: (bytes: Buffer) => void;
}

/**
 * The way out of one connection: publications become bytes here, and their answers are heard here. mqtt.js would copy each
 * publication twice to be able to repeat it, which is the log's work.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #writer: PacketWriter;
  readonly #exchanges: Exchanges;
  #isGathering = false;
  #isDue = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#writer = new PacketWriter(options.version, options.write);
    this.#exchanges = new Exchanges(options.ids, (id) => this.#release(id));
  }

  /** `onDone` hears of the answer; QoS 0 needs none, and is done at once. */
  publish(message: Message, onDone: OnDone): void {
    const { qos, topic } = message;
    const id = qos === 0 ? null : this.#exchanges.begin(qos, onDone);
    if (qos > 0 && id === null) throw new RangeError("Expected a window that leaves packet identifiers, got none");
    this.#writer.publish(message, { id, alias: this.#options.aliases.of(topic) });
    if (!this.#isGathering) this.#writer.flush();
    if (qos === 0) onDone(null);
  }

  /** What is published inside leaves in one write, or in as few as its size allows. */
  together(publishing: () => void): void {
    if (this.#isGathering) return publishing();
    this.#isGathering = true;
    try {
      publishing();
    } finally {
      this.#isGathering = false;
      this.#writer.flush();
    }
  }

  /** False when the MQTT broker answered against the protocol. */
  hear(kind: string, id: number, reasonCode: number): boolean {
    return this.#exchanges.hear(kind, id, reasonCode);
  }

  // Answers come many at a time; what follows from them leaves together, with what is published into the room they make.
  #release(id: number): void {
    this.#writer.release(id);
    if (this.#isDue) return;
    this.#isDue = true;
    this.#options.scheduler.nextTurn(() => {
      this.#isDue = false;
      this.#writer.flush();
    });
  }
}
