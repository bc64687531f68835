/** Where the bytes of one connection go. Never queues: what it takes is written. */
export interface Sink {
  /** True where bytes must come as chunks of HTTP/1.1's chunked transfer coding; else they come bare. */
  readonly isChunked: boolean;
  /** Bytes it has taken that have not left. */
  readonly unsentBytes: number;
  /** Who is told of room and of the end. */
  owner: SinkOwner | null;
  /** Takes all bytes. False when they have not all left: nothing more until the owner is told of room. */
  write(bytes: Uint8Array): boolean;
  /** Ends the response after what was written. Idempotent. */
  end(): void;
  /** Ends the connection at once, whatever was still to be sent. Idempotent. */
  destroy(): void;
}

export interface SinkOwner {
  /** What was written has left. */
  onRoom(): void;
  /** The response is over, by whomever. May be called more than once. */
  onGone(): void;
}
