import { sharedBytes, type Encoding, type LogEvent } from "@starcast/core";

/** Bytes as one chunk of HTTP/1.1 chunked transfer coding (RFC 9112, 7.1). Not for no bytes: that chunk ends the body. */
export function httpChunk(bytes: Uint8Array): Uint8Array {
  const size = bytes.length.toString(16);
  const chunk = sharedBytes(size.length + bytes.length + 4);
  for (let index = 0; index < size.length; index += 1) chunk[index] = size.charCodeAt(index);
  chunk.set(lineBreak, size.length);
  chunk.set(bytes, size.length + 2);
  chunk.set(lineBreak, size.length + 2 + bytes.length);
  return chunk;
}

/**
 * The same events, each already a chunk: made once with the event, so that a run of events needs no header of its own
 * and a connection may start in the middle of it. The same object for the same encoding.
 */
export function inChunks(encoding: Encoding): Encoding {
  let chunked = made.get(encoding);
  if (chunked === undefined) {
    chunked = Object.freeze({
      name: `${encoding.name} chunked`,
      encode: (event: LogEvent) => httpChunk(encoding.encode(event)),
    });
    made.set(encoding, chunked);
  }
  return chunked;
}

const made = new WeakMap<Encoding, Encoding>();
const lineBreak = Uint8Array.of(13, 10);
