import { randomUUID } from "node:crypto";
import type { AnyBroker } from "@starcast/core";
import { MqttPublisher } from "@starcast/mqtt";
import { MqttDevice } from "../receivers/mqtt-device.ts";
import { Receiver } from "../receivers/receiver.ts";
import { EmbeddedMqttBroker } from "../services/embedded-mqtt-broker.ts";
import type { CheckedTransport } from "./checked-transport.ts";
import type { DurableFolder } from "../durable/durable-folder.ts";
import { quickMqtt } from "./outage-settings.ts";

/** MQTT from end to end: a publisher, an MQTT broker, and a device behind it. */
export class MqttSide implements CheckedTransport {
  readonly receiver: Receiver;
  readonly isOrdered = true;
  readonly outages: CheckedTransport["outages"];
  readonly #device: MqttDevice;
  readonly #mqttBroker: EmbeddedMqttBroker | null;

  /** Where whoever likes can follow the same topics. */
  readonly url: string;

  private constructor(receiver: Receiver, device: MqttDevice, url: string, mqttBroker: EmbeddedMqttBroker | null) {
    const cut = { what: "device cut", begin: () => device.cut(), end: () => undefined };
    const down = { what: "MQTT broker down", begin: () => this.stop(), end: () => this.start() };
    this.receiver = receiver;
    this.url = url;
    this.#device = device;
    this.#mqttBroker = mqttBroker;
    // Somebody else's MQTT broker is left alone, so there only the device goes away. The embedded one hands out what waited
    // for a device and what is new side by side, which is not what is checked here.
    this.outages = mqttBroker === null ? [cut, cut] : [down, down];
  }

  /** Resolves when the device is subscribed; `url` null makes an MQTT broker in this process. */
  static async open(broker: AnyBroker, url: string | null, folder: DurableFolder | null): Promise<MqttSide> {
    const clientId = `starcast-demo-${folder?.name ?? randomUUID().slice(0, 8)}`;
    const debts = url === null ? (folder?.mqttDebts("catalog/events/") ?? null) : null;
    const mqttBroker = url === null ? await EmbeddedMqttBroker.start(clientId, debts) : null;
    const target = mqttBroker?.url ?? url ?? "";
    const receiver = new Receiver("MQTT", broker.position, folder?.book("mqtt"));
    const session = { clientId, isKept: folder !== null };
    const device = await MqttDevice.connect(target, "catalog/events/#", session, receiver);
    if (debts !== null) await mqttBroker?.payDebts(debts);
    new MqttPublisher(broker, { url: target, topic: "catalog/events/{type:levels}/{subject}", ...quickMqtt });
    return new MqttSide(receiver, device, target, mqttBroker);
  }

  readonly isUp = (): boolean => this.#mqttBroker?.isUp ?? true;
  readonly isConnected = (): boolean => this.#device.isConnected;

  async stop(): Promise<void> {
    if (this.#mqttBroker === null) throw new Error("The MQTT broker is yours: the demo does not stop it.");
    await this.#mqttBroker.stop();
  }

  async start(): Promise<void> {
    await this.#mqttBroker?.start();
  }

  async close(): Promise<void> {
    await this.#device.close();
    await this.#mqttBroker?.close();
  }
}
