import { unsentBytesOf } from "@starcast/core/gateway";
import { Buffer } from "node:buffer";
import { ServerResponse } from "node:http";
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { watchResponse } from "./response-end.ts";
import type { Sink, SinkOwner } from "./sink.ts";

/**
 * The socket of a response whose head was flushed, when chunks may be written to it past the response; else null.
 * `res.write` costs 1.6x as much; but bytes on the wrong socket, or between two responses, are response splitting, so
 * everything that could stand between the response and its socket rules this way out.
 */
export function rawSocketOf(
  req: { readonly httpVersion: string; readonly socket: unknown },
  res: ServerResponse,
): Socket | null {
  // Null while an earlier response of a pipelined connection has the socket. Other runtimes have sockets of their own making.
  const { socket } = res;
  if (!(socket instanceof Socket) || socket !== req.socket) return null;
  if (req.httpVersion !== "1.1" || !res.chunkedEncoding || res.hasHeader("content-encoding")) return null;
  // Compression and sessions put methods of their own in place of these.
  if (res.write !== write || res.end !== end || res.writeHead !== writeHead) return null;
  // The head, or anything written before, may still wait in the response.
  const isFlushed = res.headersSent && res.writableLength === socket.writableLength && res.writableCorked === 0;
  return isFlushed && !res.writableEnded && !socket.destroyed ? socket : null;
}

const { write, end, writeHead } = ServerResponse.prototype;

/** Writes chunks to the socket under a response. */
export class RawSocket implements Sink {
  owner: SinkOwner | null = null;
  readonly #res: ServerResponse;
  readonly #socket: Socket;

  constructor(res: ServerResponse, socket: Socket) {
    this.#res = res;
    this.#socket = socket;
    watchResponse(res, this);
  }

  // Of the class, as it is the same for all.
  get isChunked(): true {
    return true;
  }

  get unsentBytes(): number {
    return unsentBytesOf(this.#socket);
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    // Somebody else may have ended the response (a timeout middleware, say): from then on the socket is the next one's.
    if (this.#res.socket !== socket || this.#res.writableEnded) return false;
    const isBelowMark = socket.write(asBuffer(bytes));
    if (socket.writableLength === 0) return true;
    // TLS hands its bytes over in a later turn, which is no sign of a slow client; there Node's mark decides.
    if (isBelowMark && socket instanceof TLSSocket) return true;
    const onLeft = (): void => this.owner?.onRoom();
    // `drain` follows only on a mark that was reached; below it, nothing is written behind the rest and reports when it left.
    if (isBelowMark) socket.write(nothing, onLeft);
    else socket.once("drain", onLeft);
    return false;
  }

  end(): void {
    if (!this.#res.writableEnded) this.#res.end();
  }

  destroy(): void {
    this.#res.destroy();
  }
}

const nothing: Uint8Array = Buffer.alloc(0);

/**
 * The same memory as a Buffer. A socket makes one of other bytes at each write, which is a tenth of its cost; connections
 * at one place write the same bytes, one after the other.
 */
function asBuffer(bytes: Uint8Array): Uint8Array {
  if (bytes !== lastBytes) {
    lastBytes = bytes;
    lastBuffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  return lastBuffer;
}

let lastBytes = nothing;
let lastBuffer = nothing;
