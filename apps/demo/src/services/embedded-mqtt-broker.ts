import { createServer } from "node:net";
import { promisify } from "node:util";
import { Aedes } from "aedes";
import type { MqttDebts } from "../durable/mqtt-debts.ts";
import { SwitchableServer } from "./switchable-server.ts";

/** How long a restarted MQTT broker keeps everybody else waiting for the receiver that was there before. */
const letFirstWithinMs = 10_000;

/** Publications that wait for a frozen one to thaw: those in flight of its clients, who wait for acknowledgements. */
export const maxHeld = 10_000;

/** An MQTT broker (3.1.1) in this process, on a free port of the loopback address, that can be stopped and started. */
export class EmbeddedMqttBroker {
  readonly #aedes: Aedes;
  readonly #server: SwitchableServer;
  readonly #firstClientId: string;
  #isFirstReady = true;
  #waiting: (() => void)[] = [];
  #isFrozen = false;
  readonly #held: (() => void)[] = [];

  private constructor(aedes: Aedes, server: SwitchableServer, firstClientId: string) {
    this.#aedes = aedes;
    this.#server = server;
    this.#firstClientId = firstClientId;
  }

  /**
   * After a start the client of `firstClientId` is let in first: what waits in its session then comes before what is new.
   * Sessions outlive an outage, as those of a real MQTT broker do; with `debts`, what it owes that client also a restart.
   */
  static async start(firstClientId: string, debts: MqttDebts | null): Promise<EmbeddedMqttBroker> {
    const aedes = await Aedes.createBroker({ concurrency: 1_000 });
    const server = new SwitchableServer(createServer((socket) => void aedes.handle(socket)));
    const broker = new EmbeddedMqttBroker(aedes, server, firstClientId);
    broker.#takePublications(debts);
    aedes.preConnect = (_client, packet, callback) => broker.#admit(packet.clientId, () => callback(null, true));
    aedes.on("clientReady", (client) => void (client.id === firstClientId && broker.#letIn()));
    // A client that is cut off in the middle of a packet is what an outage looks like.
    aedes.on("clientError", () => undefined);
    aedes.on("connectionError", () => undefined);
    await server.start();
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.#server.port}`;
  }

  get isUp(): boolean {
    return this.#server.isUp;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Connections stay, and no publication is taken or acknowledged: a process that hangs. */
  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const take of this.#held.splice(0)) take();
  }

  async start(): Promise<void> {
    this.#isFirstReady = false;
    await this.#server.start();
    setTimeout(() => this.#letIn(), letFirstWithinMs).unref();
  }

  /** What it owed its client at the end of an earlier life; resolves when that is on its way, before anything new. */
  async payDebts(debts: MqttDebts): Promise<void> {
    const publish = promisify(this.#aedes.publish.bind(this.#aedes));
    for (const { topic, payload } of debts.owed)
      await publish({ cmd: "publish", topic, payload, qos: 1, retain: false, dup: false });
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  async close(): Promise<void> {
    this.#letIn();
    await this.stop();
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
  }

  // An acknowledgement follows when this is done.
  #takePublications(debts: MqttDebts | null): void {
    this.#aedes.authorizePublish = (_client, { topic, payload }, done) => {
      const take = (): void => {
        debts?.add({ topic, payload: payload.toString() });
        done(null);
      };
      if (!this.#isFrozen) take();
      else if (this.#held.length < maxHeld) this.#held.push(take);
      else done(new Error("Too many publications while it hangs"));
    };
    this.#aedes.on("ack", (packet, client) => {
      if (client.id === this.#firstClientId && "payload" in packet) debts?.strike(packet.payload.toString());
    });
  }

  #admit(clientId: string, enter: () => void): void {
    if (this.#isFirstReady || clientId === this.#firstClientId) enter();
    else this.#waiting.push(enter);
  }

  #letIn(): void {
    this.#isFirstReady = true;
    for (const enter of this.#waiting.splice(0)) enter();
  }
}
