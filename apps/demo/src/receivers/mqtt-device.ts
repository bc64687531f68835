import { connectAsync } from "mqtt";
import type { MqttClient } from "mqtt";
import type { Arrived, Receiver } from "./receiver.ts";

/** A device behind an MQTT broker: follows the event topics at QoS 1, in a session that outlives its connections. */
export class MqttDevice {
  readonly #client: MqttClient;
  readonly #topics: string;

  private constructor(client: MqttClient, topics: string) {
    this.#client = client;
    this.#topics = topics;
  }

  /** Resolves when it is subscribed: from then on nothing published is missed. */
  static async connect(url: string, topics: string, clientId: string, receiver: Receiver): Promise<MqttDevice> {
    const client = await connectAsync(url, { clientId, clean: false, reconnectPeriod: 100, protocolVersion: 4 });
    // Reconnecting is the client's own affair.
    client.on("error", () => undefined);
    client.on("message", (_topic, payload) => receiver.take(JSON.parse(payload.toString("utf8")) as Arrived));
    await client.subscribeAsync(topics, { qos: 1 });
    return new MqttDevice(client, topics);
  }

  get isConnected(): boolean {
    return this.#client.connected;
  }

  /** Loses its connection without a goodbye, and makes a new one by itself. */
  async cut(): Promise<void> {
    this.#client.stream.destroy();
  }

  async close(): Promise<void> {
    // Somebody else's MQTT broker would go on keeping events for a session nobody comes back to.
    if (this.isConnected) await this.#client.unsubscribeAsync(this.#topics).catch(() => undefined);
    await this.#client.endAsync(true);
  }
}
