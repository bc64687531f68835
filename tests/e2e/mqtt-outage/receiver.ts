import { connectAsync, type MqttClient } from "mqtt";

/** A receiver that judges each number as it comes, and keeps none. */
export class Receiver {
  /** The number that should come next. */
  next = 0;
  repeats = 0;
  /** What came instead of the next number, first of all. */
  jump: string | null = null;
  readonly #client: MqttClient;
  #look: () => void = () => undefined;

  private constructor(client: MqttClient) {
    this.#client = client;
    client.on("message", (_topic, payload) => {
      const { data } = JSON.parse(payload.toString()) as { readonly data: { readonly n: number } };
      this.#judge(data.n);
      this.#look();
    });
  }

  static async of(url: string, filter: string): Promise<Receiver> {
    const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 });
    const receiver = new Receiver(client);
    await client.subscribeAsync(filter, { qos: 0 });
    return receiver;
  }

  /** Resolves when everything before this number has come, or something else did. */
  async until(number: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#look = () => {
        if (this.next >= number || this.jump !== null) resolve();
      };
      this.#look();
    });
  }

  async end(): Promise<void> {
    await this.#client.endAsync(true);
  }

  #judge(number: number): void {
    if (number === this.next) this.next += 1;
    else if (number < this.next) this.repeats += 1;
    else this.jump ??= `${number} instead of ${this.next}`;
  }
}
