import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";

export interface Received {
  readonly topic: string;
  readonly text: string;
  readonly isRetained: boolean;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A receiver of its own at an MQTT broker, that remembers everything and can wait for something. */
export class Collector {
  readonly received: Received[] = [];
  #client: MqttClient | null = null;
  #watchers: (() => void)[] = [];

  static async of(url: string, filter: string | readonly string[], options: IClientOptions = {}): Promise<Collector> {
    const collector = new Collector();
    await collector.connect(url, filter, options);
    return collector;
  }

  /** Connects, again after an outage, and goes on collecting. */
  async connect(url: string, filter: string | readonly string[], options: IClientOptions = {}): Promise<void> {
    await this.end();
    const client = await connectAsync(url, { reconnectPeriod: 0, protocolVersion: 5, ...options });
    this.#client = client;
    client.on("message", (topic, payload, packet) => {
      this.received.push({
        topic,
        text: payload.toString(),
        isRetained: packet.retain,
        properties: { ...packet.properties },
      });
      for (const watch of this.#watchers.splice(0)) watch();
    });
    // QoS 0: the MQTT broker has written a message to us before it acknowledges it to the publisher, and waits for nothing.
    await client.subscribeAsync([...(typeof filter === "string" ? [filter] : filter)], { qos: 0 });
  }

  /** The parsed payloads whose type does not begin with `client.`. */
  get events(): readonly { readonly id: string; readonly data: { readonly n: number } }[] {
    return this.frames.flatMap(({ id, type, data }) =>
      type.startsWith("client.") ? [] : [{ id, data: { n: Number(data["n"]) } }],
    );
  }

  get frames(): readonly {
    readonly id: string;
    readonly type: string;
    readonly data: Readonly<Record<string, unknown>>;
  }[] {
    return this.received.filter(({ text }) => text !== "").map(({ text }) => JSON.parse(text));
  }

  /** Resolves when it holds, judged after each message. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  /** A round trip: what the MQTT broker had to say at once has come. */
  async settle(): Promise<void> {
    await this.#client?.subscribeAsync("nothing/is/here", { qos: 0 });
  }

  async end(): Promise<void> {
    await this.#client?.endAsync(true);
    this.#client = null;
  }
}

/** The numbers as they came first: repetitions of an id left out. */
export function firstSeen(
  events: readonly { readonly id: string; readonly data: { readonly n: number } }[],
): readonly number[] {
  const seen = new Map(events.map(({ id, data }) => [id, data.n]));
  return [...seen.values()];
}

export function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
