import { randomUUID } from "node:crypto";
import { formatPosition } from "@starcast/core";
import type { AnyBroker } from "@starcast/core";
import { MqttPublisher } from "@starcast/mqtt";
import { OrderError } from "../page-server/order-error.ts";
import { MqttDevice } from "../receivers/mqtt-device.ts";
import { Receiver } from "../receivers/receiver.ts";
import { MirrorReader } from "../receivers/mirror-reader.ts";
import { EmbeddedMqttBroker } from "../services/embedded-mqtt-broker.ts";
import type { CheckedTransport } from "./checked-transport.ts";
import type { DurableFolder } from "../durable/durable-folder.ts";
import type { MqttReport } from "../status/report.ts";
import { TopicBoard } from "../watch/topic-board.ts";
import { quickMqtt } from "./outage-settings.ts";

/** What the mirror is made of. */
export type MirrorSource = () => Promise<ReadonlyMap<string, unknown>>;

interface Pieces {
  readonly receiver: Receiver;
  readonly device: MqttDevice;
  readonly board: TopicBoard;
  readonly url: string;
  readonly mqttBroker: EmbeddedMqttBroker | null;
  readonly publisher: MqttPublisher;
  readonly mirror: MirrorReader | null;
}

/** MQTT from end to end: a publisher, an MQTT broker, and a device behind it. */
export class MqttSide implements CheckedTransport {
  readonly receiver: Receiver;
  readonly isOrdered = true;
  readonly outages: CheckedTransport["outages"];
  readonly #pieces: Pieces;

  private constructor(pieces: Pieces) {
    const { receiver, device, mqttBroker } = pieces;
    const cut = { what: "device cut", begin: () => device.cut(), end: () => undefined };
    const down = { what: "MQTT broker down", begin: () => this.stop(), end: () => this.start() };
    this.receiver = receiver;
    this.#pieces = pieces;
    // Somebody else's MQTT broker is left alone, so there only the device goes away. The embedded one hands out what waited
    // for a device and what is new side by side, which is not what is checked here.
    this.outages = mqttBroker === null ? [cut, cut] : [down, down];
  }

  /** Resolves when the device is subscribed; `url` null makes an MQTT broker in this process, `mirror` null no mirror. */
  static async open(
    broker: AnyBroker,
    url: string | null,
    { folder, mirror }: { readonly folder: DurableFolder | null; readonly mirror: MirrorSource | null },
  ): Promise<MqttSide> {
    const clientId = `starcast-demo-${folder?.name ?? randomUUID().slice(0, 8)}`;
    const debts = url === null ? (folder?.mqttDebts("catalog/events/") ?? null) : null;
    const mqttBroker = url === null ? await EmbeddedMqttBroker.start(clientId, debts) : null;
    const target = mqttBroker?.url ?? url ?? "";
    const receiver = new Receiver("MQTT", broker.position, folder?.book("mqtt"));
    const board = new TopicBoard();
    const session = { clientId, isKept: folder !== null };
    const device = await MqttDevice.connect(target, "catalog/events/#", session, receiver, board);
    if (debts !== null) await mqttBroker?.payDebts(debts);
    const publisher = new MqttPublisher(broker, {
      url: target,
      topic: "catalog/events/{type:levels}/{subject}",
      ...(mirror === null ? {} : { state: { topic: "catalog/models/{subject}", snapshot: mirror } }),
      ...quickMqtt,
    });
    const reader = mirror === null ? null : await MirrorReader.connect(target, "catalog/models/#");
    return new MqttSide({ receiver, device, board, url: target, mqttBroker, publisher, mirror: reader });
  }

  /** Where whoever likes can follow the same topics. */
  get url(): string {
    return this.#pieces.url;
  }

  get isEmbedded(): boolean {
    return this.#pieces.mqttBroker !== null;
  }

  get isConnected(): boolean {
    return this.#pieces.device.isConnected;
  }

  get brokerState(): "up" | "frozen" | "down" {
    const { mqttBroker } = this.#pieces;
    if (mqttBroker?.isUp === false) return "down";
    return mqttBroker?.isFrozen === true ? "frozen" : "up";
  }

  report(): MqttReport {
    const { url, publisher, board, mirror } = this.#pieces;
    const { position } = publisher;
    return {
      url,
      isEmbedded: this.isEmbedded,
      broker: this.brokerState,
      isPublisherConnected: publisher.isConnected,
      acknowledged: position === null ? null : formatPosition(position),
      retained: mirror?.size ?? 0,
      ...board.report(),
    };
  }

  async stop(): Promise<void> {
    await this.#ownBroker().stop();
  }

  async start(): Promise<void> {
    const { mqttBroker } = this.#pieces;
    mqttBroker?.thaw();
    await mqttBroker?.start();
  }

  /** Its process hangs: connections stay, and nothing is answered. */
  freeze(): void {
    this.#ownBroker().freeze();
  }

  thaw(): void {
    this.#ownBroker().thaw();
  }

  async close(): Promise<void> {
    const { device, mirror, mqttBroker } = this.#pieces;
    mqttBroker?.thaw();
    await mirror?.close();
    await device.close();
    await mqttBroker?.close();
  }

  #ownBroker(): EmbeddedMqttBroker {
    const { mqttBroker } = this.#pieces;
    if (mqttBroker === null)
      throw new OrderError("not_possible", "The MQTT broker is yours: the demo does not touch it.");
    return mqttBroker;
  }
}
