import type { Clock } from "@starcast/core";
import type { Duplex } from "node:stream";
import { unsentBytes, writeTo, type SocketOwner } from "./socket-writer.ts";

/** The way out of one connection: each write goes to the socket as it is, and it is known when that did not leave. */
export class Outbound {
  readonly #socket: Duplex;
  readonly #owner: SocketOwner;
  readonly #clock: Clock;
  /** Since when nothing has left; null while there is room. */
  #fullSince: number | null = null;
  #unsent = 0;
  /** Bytes of answers behind what has not left. */
  #replyBytes = 0;

  constructor(socket: Duplex, owner: SocketOwner, clock: Clock) {
    this.#socket = socket;
    this.#owner = owner;
    this.#clock = clock;
  }

  /** True while something written has not left. */
  get isFull(): boolean {
    return this.#fullSince !== null;
  }

  /** Writes whole frames; true when there is room for more, else the owner is told once there is. */
  write(bytes: Uint8Array): boolean {
    if (this.#fullSince !== null) {
      // Only what answers or ends comes behind what has not left; room is told once for all of it.
      this.#socket.write(bytes);
      return false;
    }
    if (writeTo(this.#socket, bytes, this.#owner)) return true;
    this.#fullSince = this.#clock.now();
    this.#unsent = unsentBytes(this.#socket);
    return false;
  }

  /** Writes an answer; false, and not written, when a client that does not read has provoked too many. */
  reply(bytes: Uint8Array): boolean {
    if (this.isFull) this.#replyBytes += bytes.length;
    if (this.#replyBytes > maxReplyBytes) return false;
    this.write(bytes);
    return true;
  }

  /** What was written has left. */
  cleared(): void {
    this.#fullSince = null;
    this.#replyBytes = 0;
  }

  /** For how long no byte has left, as far as is seen by asking now and then. */
  stalledMs(now: number): number {
    if (this.#fullSince === null) return 0;
    const unsent = unsentBytes(this.#socket);
    if (unsent !== this.#unsent) {
      this.#unsent = unsent;
      this.#fullSince = now;
    }
    return now - this.#fullSince;
  }
}

/** Answers a client may provoke while it does not read. */
export const maxReplyBytes = 16_384;
