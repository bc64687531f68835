import { connectAsync } from "mqtt";
import type { MqttClient } from "mqtt";

/** Retained topics that are kept apart; there are fewer models than that. */
export const maxRetained = 20_000;

/** A newcomer at the MQTT broker who asks for the mirror alone: which models are retained there, and so known at once. */
export class MirrorReader {
  readonly #client: MqttClient;
  readonly #topics = new Set<string>();

  private constructor(client: MqttClient) {
    this.#client = client;
    // Reconnecting is the client's own affair.
    client.on("error", () => undefined);
    client.on("message", (topic, payload) => this.#take(topic, payload.length > 0));
  }

  /** Resolves when it is subscribed. */
  static async connect(url: string, topics: string): Promise<MirrorReader> {
    const client = await connectAsync(url, { reconnectPeriod: 500, protocolVersion: 4 });
    const reader = new MirrorReader(client);
    await client.subscribeAsync(topics, { qos: 0 });
    return reader;
  }

  /** Topics that hold a state now. */
  get size(): number {
    return this.#topics.size;
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
  }

  #take(topic: string, isThere: boolean): void {
    if (!isThere) this.#topics.delete(topic);
    else if (this.#topics.size < maxRetained) this.#topics.add(topic);
  }
}
