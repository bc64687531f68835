import { Standstill, unsentBytesOf } from "@starcast/core/gateway";
import type { Duplex } from "node:stream";

/** What was written to a connection and has not left. Made when that happens: a connection that keeps up has none. */
export class Unsent {
  readonly #socket: Duplex;
  readonly #standstill: Standstill;
  /** Bytes of answers behind it. */
  #replyBytes = 0;

  constructor(socket: Duplex, now: number) {
    this.#socket = socket;
    this.#standstill = new Standstill(now, this.bytes);
  }

  get bytes(): number {
    return unsentBytesOf(this.#socket);
  }

  /** False when a client that does not read has provoked too many answers with this one. */
  hasRoomFor(reply: Uint8Array): boolean {
    this.#replyBytes += reply.length;
    return this.#replyBytes <= maxReplyBytes;
  }

  stalledMs(now: number): number {
    return this.#standstill.lastsMs(now, this.bytes);
  }
}

/** Answers a client may provoke while it does not read. */
export const maxReplyBytes = 16_384;
