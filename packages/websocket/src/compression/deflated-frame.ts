import { constants, deflateRawSync } from "node:zlib";
import { compressedTextFrame } from "../text-frame.ts";

/** How far back a frame may point, in bits and in bytes: nobody has to keep more of the stream than this. */
export const windowBits = 13;
export const windowBytes: number = 2 ** windowBits;

/**
 * A text frame compressed by permessage-deflate (RFC 7692, 7.2.1). `dictionary` is the end of what the decoder has read
 * before, at most `windowBytes`; without it the frame needs nothing that came before.
 */
export function deflatedFrame(text: Uint8Array, dictionary: Uint8Array | null): Uint8Array {
  const options = { windowBits, memLevel, finishFlush: constants.Z_SYNC_FLUSH };
  // The window reaches less far back than its size, by the longest match: zlib leaves out what is beyond.
  const deflated = deflateRawSync(text, dictionary === null ? options : { ...options, dictionary });
  return compressedTextFrame(deflated.subarray(0, deflated.length - flushMark.length));
}

/** What a flushed block ends with, and a decoder of messages adds again. */
export const flushMark: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

// Setting up zlib costs most of one small frame: 17 us with this, 36 us with the default of 8, for the same bytes.
const memLevel = 6;
