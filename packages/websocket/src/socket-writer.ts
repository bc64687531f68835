import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";

/** Who a socket belongs to. */
export interface SocketOwner {
  onData(chunk: Uint8Array): void;
  /** What was written has left. */
  onRoom(): void;
  /** The socket is closed. */
  onGone(): void;
}

/** Makes the owner hear of the socket; data from when it is resumed. Shared listeners: no closure per connection. */
export function bindSocket(socket: Duplex, owner: SocketOwner): void {
  const owned: Owned = socket;
  owned[ownerOf] = owner;
  // A listener for data would let it flow at once.
  owned.pause();
  // When the other side will send nothing more, Node ends this side too: a listener of our own for that would cost each
  // connection a list of two.
  owned.allowHalfOpen = false;
  owned.on("data", onData).on("close", onClose);
}

/**
 * Writes bytes to the socket of a connection, once. True when there is room for more; else the owner is told when what
 * was written has left, unless the socket closes before.
 */
export function writeTo(socket: Duplex, bytes: Uint8Array, owner: SocketOwner): boolean {
  const isBelowMark = socket.write(asBuffer(bytes));
  if (socket.writableLength === 0) return true;
  // TLS hands its bytes over in a later turn, which is no sign of a slow client; there the stream's mark decides.
  if (isBelowMark && socket instanceof TLSSocket) return true;
  const onRoom = (): void => owner.onRoom();
  // `drain` follows only on a mark that was reached; below it, nothing is written behind the rest and reports when it left.
  if (isBelowMark) socket.write(nothing, onRoom);
  else socket.once("drain", onRoom);
  return false;
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

const ownerOf: unique symbol = Symbol("owner");

type Owned = Duplex & { [ownerOf]?: SocketOwner };

function onData(this: Owned, chunk: Uint8Array): void {
  this[ownerOf]?.onData(chunk);
}

function onClose(this: Owned): void {
  this[ownerOf]?.onGone();
}
