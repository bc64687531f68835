import { Buffer } from "node:buffer";
import { sharedBytes } from "@starcast/core";

/** One text frame as a server sends it: final, unmasked, without extensions (RFC 6455, 5.2). Never changed once made. */
export function textFrame(text: string): Uint8Array {
  const length = Buffer.byteLength(text);
  const headerLength = headerLengthOf(length);
  const frame = sharedBytes(headerLength + length);
  writeHeader(frame, textOpcode, length);
  utf8.encodeInto(text, frame.subarray(headerLength));
  return frame;
}

/** A text frame whose payload is raw deflate without its empty last block (RFC 7692, 7.2.1): RSV1 says so. */
export function compressedTextFrame(payload: Uint8Array): Uint8Array {
  const headerLength = headerLengthOf(payload.length);
  const frame = sharedBytes(headerLength + payload.length);
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
const utf8 = new TextEncoder();

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

function writeHeader(frame: Uint8Array, opcode: number, length: number): void {
  frame[0] = 0x80 | opcode;
  if (length < 126) frame[1] = length;
  else {
    const isShort = length < 65_536;
    frame[1] = isShort ? 126 : 127;
    let rest = length;
    for (let at = isShort ? 3 : 9; at > 1; at -= 1) {
      frame[at] = rest & 0xff;
      rest = Math.floor(rest / 256);
    }
  }
}
