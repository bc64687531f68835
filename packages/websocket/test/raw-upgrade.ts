import { SlowSocket } from "@starcast/testing";
import { onTestFinished } from "vitest";

export interface UpgradeParts {
  readonly target?: string;
  readonly method?: string;
  /** Header lines; null leaves one out. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** A TCP connection that asks for a WebSocket in exactly these words, and reads only when told to. */
export async function rawUpgrade(
  port: number,
  { target = "/events", method = "GET", headers = {} }: UpgradeParts = {},
): Promise<SlowSocket> {
  const socket = await SlowSocket.open({ port });
  onTestFinished(() => socket.close());
  const all: Record<string, string | null> = {
    Host: `127.0.0.1:${port}`,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}\r\n`]));
  socket.write(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`);
  return socket;
}

/** The head of the answer. */
export async function readHead(socket: SlowSocket): Promise<string> {
  const received = await socket.readUntil((bytes) => bytes.includes("\r\n\r\n"));
  return received.subarray(0, received.indexOf("\r\n\r\n")).toString("latin1");
}

/** The whole answer of a connection that is then ended. */
export async function readAnswer(
  socket: SlowSocket,
): Promise<{ readonly status: number; readonly head: string; readonly body: Record<string, unknown> }> {
  await socket.ended();
  const [head = "", body = ""] = socket.received.toString("utf8").split("\r\n\r\n");
  return { status: Number(head.split(" ")[1]), head, body: JSON.parse(body) as Record<string, unknown> };
}

/** A frame as a client sends it: masked, unless told otherwise. */
export function clientFrame(
  opcode: number,
  payload: Uint8Array,
  { isFinal = true, isMasked = true, reserved = 0 } = {},
): Uint8Array {
  const extended = payload.length < 126 ? 0 : payload.length < 65_536 ? 2 : 8;
  const frame = Buffer.alloc(2 + extended + (isMasked ? 4 : 0) + payload.length);
  frame[0] = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  frame[1] = (isMasked ? 0x80 : 0) | (extended === 0 ? payload.length : extended === 2 ? 126 : 127);
  if (extended === 2) frame.writeUInt16BE(payload.length, 2);
  if (extended === 8) frame.writeBigUInt64BE(BigInt(payload.length), 2);
  // A mask of zeros leaves the payload as it is.
  frame.set(payload, frame.length - payload.length);
  return frame;
}

export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The frames behind the head of what a server sent, as far as they are whole. */
export function serverFrames(received: Buffer): ServerFrame[] {
  const frames: ServerFrame[] = [];
  let at = received.indexOf("\r\n\r\n") + 4;
  while (at + 2 <= received.length) {
    const short = received.readUInt8(at + 1);
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (at + 2 + lengthBytes > received.length) break;
    const length =
      short === 126 ? received.readUInt16BE(at + 2) : short === 127 ? Number(received.readBigUInt64BE(at + 2)) : short;
    const start = at + 2 + lengthBytes;
    if (start + length > received.length) break;
    frames.push({ opcode: received.readUInt8(at) & 0x0f, payload: received.subarray(start, start + length) });
    at = start + length;
  }
  return frames;
}
