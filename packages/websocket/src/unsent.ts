import type { Duplex } from "node:stream";
import { unsentBytes } from "./socket-writer.ts";

/** What was written to a connection and has not left. Made when that happens: a connection that keeps up has none. */
export class Unsent {
  readonly #socket: Duplex;
  /** Since when no byte has left. */
  #since: number;
  #bytes: number;
  /** Bytes of answers behind it. */
  #replyBytes = 0;

  constructor(socket: Duplex, now: number) {
    this.#socket = socket;
    this.#since = now;
    this.#bytes = unsentBytes(socket);
  }

  get bytes(): number {
    return unsentBytes(this.#socket);
  }

  /** False when a client that does not read has provoked too many answers with this one. */
  hasRoomFor(reply: Uint8Array): boolean {
    this.#replyBytes += reply.length;
    return this.#replyBytes <= maxReplyBytes;
  }

  /** For how long no byte has left, as far as is seen by asking now and then. */
  stalledMs(now: number): number {
    const bytes = unsentBytes(this.#socket);
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#since = now;
    }
    return now - this.#since;
  }
}

/** Answers a client may provoke while it does not read. */
export const maxReplyBytes = 16_384;
