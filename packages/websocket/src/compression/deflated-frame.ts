import { constants, deflateRawSync } from "node:zlib";
import { compressedTextFrame } from "../text-frame.ts";

/**
 * How far back a frame may point, in bits and in bytes: nobody has to keep more of the stream than this. With 16 KiB events
 * become as small as with a compressor per client; with 8 KiB 5 % larger, with 32 KiB a new client waits twice as long.
 */
export const windowBits = 14;
export const windowBytes: number = 2 ** windowBits;

/**
 * A text frame compressed by permessage-deflate (RFC 7692, 7.2.1). `dictionary` is the end of what the decoder has read
 * before, at most `windowBytes`; without it the frame needs nothing that came before.
 */
export function deflatedFrame(text: Uint8Array, dictionary: Uint8Array | null): Uint8Array {
  const options = { windowBits, memLevel, level, finishFlush: constants.Z_SYNC_FLUSH };
  // The window reaches less far back than its size, by the longest match: zlib leaves out what is beyond.
  const deflated = deflateRawSync(text, dictionary === null ? options : { ...options, dictionary });
  return compressedTextFrame(deflated.subarray(0, deflated.length - flushMark.length));
}

/** What a flushed block ends with, and a decoder of messages adds again. */
export const flushMark: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

// Setting up zlib costs most of one small frame; the default of 8 takes twice as long for the same bytes.
const memLevel = 6;

// The most: once per event, it costs hardly more than the default and saves 5 % of a small one.
const level = 9;
