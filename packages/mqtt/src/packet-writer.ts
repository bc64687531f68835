import type { Message, MessageProperties } from "./message.ts";
import type { TopicAlias } from "./topic-aliases.ts";

/** What is gathered before it is written: enough for hundreds of events, and what a socket takes at once. */
const pieceBytes = 65_536;

/** Which publication a packet is. */
export interface PublishMarks {
  /** Null with QoS 0. */
  readonly id: number | null;
  readonly alias: TopicAlias | null;
}

/**
 * PUBLISH and PUBREL packets (MQTT 3.1.1 and 5, sections 3.3 and 3.6), made side by side in one piece of memory, so that what
 * is published in one turn is one write. A piece is never written to again where it was handed out.
 */
export class PacketWriter {
  readonly #hasProperties: boolean;
  readonly #write: (bytes: Buffer) => void;
  #piece = Buffer.alloc(0);
  #from = 0;
  #to = 0;

  constructor(version: 5 | 4, write: (bytes: Buffer) => void) {
    this.#hasProperties = version === 5;
    this.#write = write;
  }

  publish({ topic, payload, qos, retain, properties }: Message, { id, alias }: PublishMarks): void {
    const name = alias === null || alias.isNew ? topic : "";
    const nameBytes = Buffer.byteLength(name);
    const payloadBytes = Buffer.byteLength(payload);
    const said = this.#hasProperties ? propertyBytes(properties, alias) : none;
    const rest = 2 + nameBytes + (id === null ? 0 : 2) + said.length + payloadBytes;
    this.#reserve(5 + rest);
    this.#byte(0x30 | (qos << 1) | (retain ? 1 : 0));
    this.#variableByte(rest);
    this.#twoBytes(nameBytes);
    this.#text(name, nameBytes);
    if (id !== null) this.#twoBytes(id);
    if (said.length === 1) this.#byte(0);
    else this.#to += said.copy(this.#piece, this.#to);
    this.#text(payload, payloadBytes);
  }

  /** The third packet of a QoS 2 exchange. */
  release(id: number): void {
    this.#reserve(4);
    this.#byte(0x62);
    this.#byte(2);
    this.#twoBytes(id);
  }

  flush(): void {
    if (this.#to === this.#from) return;
    const bytes = this.#piece.subarray(this.#from, this.#to);
    this.#from = this.#to;
    this.#write(bytes);
  }

  #reserve(bytes: number): void {
    if (this.#piece.length - this.#to >= bytes) return;
    this.flush();
    this.#piece = Buffer.allocUnsafeSlow(Math.max(pieceBytes, bytes));
    this.#from = 0;
    this.#to = 0;
  }

  #byte(value: number): void {
    this.#piece[this.#to] = value;
    this.#to += 1;
  }

  #twoBytes(value: number): void {
    this.#byte(value >> 8);
    this.#byte(value & 0xff);
  }

  #variableByte(value: number): void {
    let left = value;
    for (; left > 127; left >>= 7) this.#byte((left & 127) | 128);
    this.#byte(left);
  }

  // Text without a character of several bytes is copied as it is, which is twice as fast.
  #text(text: string, bytes: number): void {
    this.#to += this.#piece.write(text, this.#to, bytes, bytes === text.length ? "latin1" : "utf8");
  }
}

const none = Buffer.alloc(0);
const noProperties = Buffer.alloc(1);

/** The properties with their length before them (MQTT 5, section 2.2.2). */
function propertyBytes(properties: MessageProperties | undefined, alias: TopicAlias | null): Buffer {
  if (properties === undefined && alias === null) return noProperties;
  const { messageExpiryInterval, contentType, userProperties } = properties ?? {};
  const parts: Buffer[] = [];
  if (messageExpiryInterval !== undefined) parts.push(number(0x02, messageExpiryInterval, 4));
  if (contentType !== undefined) parts.push(Buffer.of(0x03), text(contentType));
  if (alias !== null) parts.push(number(0x23, alias.number, 2));
  for (const [name, value] of Object.entries(userProperties ?? {}))
    parts.push(Buffer.of(0x26), text(name), text(value));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([variableByte(length), ...parts]);
}

function number(property: number, value: number, bytes: 2 | 4): Buffer {
  const buffer = Buffer.alloc(1 + bytes);
  buffer[0] = property;
  buffer.writeUIntBE(value, 1, bytes);
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

function variableByte(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left >>= 7) bytes.push((left & 127) | 128);
  return Buffer.from([...bytes, left]);
}
