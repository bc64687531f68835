import { connect } from "mqtt";
import type { MqttClient } from "mqtt";
import { TopicBoard } from "../watch/topic-board.ts";
import type { Arrived, Receiver } from "./receiver.ts";

/** A device behind an MQTT broker: follows the event topics at QoS 1, in a session that outlives its connections. */
export class MqttDevice {
  readonly #client: MqttClient;
  /** What it gives up when it is closed; null when its session is to be found again. */
  readonly #leaving: string | null;

  private constructor(client: MqttClient, leaving: string | null) {
    this.#client = client;
    this.#leaving = leaving;
  }

  /** Resolves when it is subscribed: from then on nothing published is missed. */
  static async connect(
    url: string,
    topics: string,
    { clientId, isKept }: { readonly clientId: string; readonly isKept: boolean },
    receiver: Receiver,
    board = new TopicBoard(),
  ): Promise<MqttDevice> {
    const client = connect(url, { clientId, clean: false, reconnectPeriod: 100, protocolVersion: 4 });
    // Before it is connected: what waited in its session comes at once, and is acknowledged whether anybody listens or not.
    client.on("message", (topic, payload) => {
      const event = JSON.parse(payload.toString("utf8")) as Arrived;
      board.saw(topic, event.id);
      receiver.take(event);
    });
    await new Promise<void>((resolve, reject) => {
      const giveUp = (error: Error): void => void client.end(true, () => reject(error));
      client.once("error", giveUp);
      client.once("connect", () => {
        // From then on reconnecting is the client's own affair.
        client.off("error", giveUp).on("error", () => undefined);
        resolve();
      });
    });
    await client.subscribeAsync(topics, { qos: 1 });
    return new MqttDevice(client, isKept ? null : topics);
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
    if (this.#leaving !== null && this.isConnected)
      await this.#client.unsubscribeAsync(this.#leaving).catch(() => undefined);
    await this.#client.endAsync(true);
  }
}
