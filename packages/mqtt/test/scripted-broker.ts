import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import {
  generate,
  parser,
  type IConnackPacket,
  type IConnectPacket,
  type IPublishPacket,
  type Packet,
} from "mqtt-packet";

export interface Script {
  /** What it says to a CONNECT; `null`: nothing. */
  readonly connack?: ((connect: IConnectPacket, peer: Peer) => Partial<IConnackPacket> | null) | undefined;
  /** What it does with a publication. By default it acknowledges. */
  readonly publish?: ((packet: IPublishPacket, peer: Peer) => void) | undefined;
}

/** An MQTT broker that does what a test says, bad manners included. It delivers nothing to anybody. */
export class ScriptedBroker {
  readonly peers: Peer[] = [];
  readonly #server: Server;
  #script: Script;
  #watchers: (() => void)[] = [];

  private constructor(script: Script) {
    this.#script = script;
    this.#server = createServer((socket) => {
      this.peers.push(new Peer(socket, (packet, peer) => this.#hear(packet, peer)));
      this.#tell();
    });
  }

  static async start(script: Script = {}): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(script);
    broker.#server.listen(0, "127.0.0.1");
    await once(broker.#server, "listening");
    return broker;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Everything published to it, in order. */
  get published(): readonly IPublishPacket[] {
    return this.peers.flatMap(({ received }) =>
      received.filter((packet): packet is IPublishPacket => packet.cmd === "publish"),
    );
  }

  /** The numbers of the events published to it. */
  get numbers(): readonly number[] {
    return this.published
      .filter(({ topic }) => topic.startsWith("t/"))
      .map(({ payload }) => JSON.parse(payload.toString()).data.n);
  }

  get frames(): readonly { readonly type: string; readonly data: Readonly<Record<string, unknown>> }[] {
    return this.published
      .filter(({ topic }) => !topic.startsWith("t/"))
      .map(({ payload }) => JSON.parse(payload.toString()));
  }

  follow(script: Script): void {
    this.#script = script;
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  async end(): Promise<void> {
    for (const { socket } of this.peers) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #hear(packet: Packet, peer: Peer): void {
    if (packet.cmd === "connect") {
      const answer = this.#script.connack === undefined ? {} : this.#script.connack(packet, peer);
      const code = peer.version === 5 ? { reasonCode: 0 } : { returnCode: 0 };
      if (answer !== null) peer.send({ cmd: "connack", sessionPresent: false, ...code, ...answer } as IConnackPacket);
    }
    if (packet.cmd === "publish")
      (this.#script.publish ?? ((publication) => peer.acknowledge(publication)))(packet, peer);
    if (packet.cmd === "pubrel") peer.send({ cmd: "pubcomp", messageId: packet.messageId ?? 0 });
    if (packet.cmd === "subscribe") peer.send({ cmd: "suback", messageId: packet.messageId ?? 0, granted: [0] });
    if (packet.cmd === "unsubscribe") peer.send({ cmd: "unsuback", messageId: packet.messageId ?? 0, granted: [0] });
    if (packet.cmd === "pingreq") peer.send({ cmd: "pingresp" });
    this.#tell();
  }

  #tell(): void {
    for (const watch of this.#watchers.splice(0)) watch();
  }
}

/** One connection of a client to it. */
export class Peer {
  readonly socket: Socket;
  readonly received: Packet[] = [];
  version: 4 | 5 = 5;
  #unacknowledged = 0;
  /** Most publications that waited for an acknowledgement at once. */
  peak = 0;

  constructor(socket: Socket, onPacket: (packet: Packet, peer: Peer) => void) {
    this.socket = socket;
    const parse = parser();
    parse.on("packet", (packet: Packet) => {
      if (packet.cmd === "connect") this.version = packet.protocolVersion === 5 ? 5 : 4;
      if (packet.cmd === "publish" && packet.qos > 0) this.peak = Math.max(this.peak, ++this.#unacknowledged);
      this.received.push(packet);
      onPacket(packet, this);
    });
    socket.on("data", (bytes) => parse.parse(bytes));
    // The client may end it at any moment; that is what is tested.
    socket.on("error", () => undefined);
  }

  send(packet: Packet): void {
    this.socket.write(generate(packet, { protocolVersion: this.version }));
  }

  /** An acknowledgement that no library would write: any reason code, in words if there are some. */
  acknowledgeRaw({ messageId = 0 }: IPublishPacket, reasonCode: number, reason = ""): void {
    this.#unacknowledged -= 1;
    const text = Buffer.from(reason);
    const properties = text.length === 0 ? [] : [...lengthOf(3 + text.length), 0x1f, 0, text.length, ...text];
    const body = [messageId >> 8, messageId & 0xff, reasonCode, ...properties];
    this.socket.write(Buffer.from([0x40, ...lengthOf(body.length), ...body]));
  }

  acknowledge({ messageId = 0, qos }: IPublishPacket, reasonCode = 0): void {
    if (qos === 0) return;
    this.#unacknowledged -= 1;
    this.send({ cmd: qos === 1 ? "puback" : "pubrec", messageId, reasonCode });
  }
}

/** A variable byte integer of up to two bytes. */
function lengthOf(bytes: number): readonly number[] {
  return bytes < 128 ? [bytes] : [(bytes & 127) | 128, bytes >> 7];
}
