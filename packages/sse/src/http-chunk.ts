import { sharedBytes, utf8Bytes, utf8Length, type Encoding, type LogEvent } from "@starcast/core";
import type { StreamEncoding } from "./event-stream.ts";

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
export function inChunks(encoding: StreamEncoding): Encoding {
  let chunked = made.get(encoding);
  if (chunked === undefined) {
    chunked = Object.freeze({
      name: `${encoding.name} chunked`,
      // From the text: bytes of which only a copy is sent would lie beside the copy, and live as long.
      encode: (event: LogEvent) => {
        const text = encoding.text(event);
        return utf8Bytes(`${utf8Length(text).toString(16)}\r\n${text}\r\n`);
      },
    });
    made.set(encoding, chunked);
  }
  return chunked;
}

const made = new WeakMap<StreamEncoding, Encoding>();
const lineBreak = Uint8Array.of(13, 10);
