import { Buffer } from "node:buffer";

/** One text frame as a server sends it: final, unmasked, without extensions (RFC 6455, 5.2). Never changed once made. */
export function textFrame(text: string): Uint8Array {
  const length = Buffer.byteLength(text);
  const headerLength = headerLengthOf(length);
  // Shared for as long as the event is retained: a slice of Buffer's pool would keep 8 KiB alive for it.
  const frame = Buffer.allocUnsafeSlow(headerLength + length);
  writeHeader(frame, textOpcode, length);
  frame.write(text, headerLength);
  return frame;
}

/** A text frame whose payload is raw deflate without its empty last block (RFC 7692, 7.2.1): RSV1 says so. */
export function compressedTextFrame(payload: Uint8Array): Uint8Array {
  const headerLength = headerLengthOf(payload.length);
  const frame = Buffer.allocUnsafeSlow(headerLength + payload.length);
  writeHeader(frame, textOpcode | compressedBit, payload.length);
  frame.set(payload, headerLength);
  return frame;
}

/** The answer to a ping: its payload, at most 125 bytes. */
export function pongFrame(payload: Uint8Array): Uint8Array {
  return controlFrame(0xa, payload);
}

/** A close frame; `reason` is at most 123 bytes. Without a code it is empty (RFC 6455, 5.5.1). */
export function closeFrame(code: number | null, reason = ""): Uint8Array {
  if (code === null) return controlFrame(0x8, nothing);
  const payload = Buffer.allocUnsafe(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return controlFrame(0x8, payload);
}

/** Frames one after the other, for one write. */
export function joinFrames(frames: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(frames);
}

const textOpcode = 0x1;
const compressedBit = 0x40;
const nothing = new Uint8Array(0);

/** A ping without payload. */
export const pingFrame: Uint8Array = controlFrame(0x9, nothing);

function controlFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const frame = Buffer.allocUnsafe(2 + payload.length);
  writeHeader(frame, opcode, payload.length);
  frame.set(payload, 2);
  return frame;
}

function headerLengthOf(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

function writeHeader(frame: Buffer, opcode: number, length: number): void {
  frame[0] = 0x80 | opcode;
  if (length < 126) {
    frame[1] = length;
  } else if (length < 65_536) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(Math.floor(length / 0x1_0000_0000), 2);
    frame.writeUInt32BE(length >>> 0, 6);
  }
}
