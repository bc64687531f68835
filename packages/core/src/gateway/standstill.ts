/** A client that has not taken all that was written for it: for how long no byte has left, as far as is seen by asking now and then. */
export class Standstill {
  #since: number;
  #bytes: number;

  constructor(now: number, unsentBytes: number) {
    this.#since = now;
    this.#bytes = unsentBytes;
  }

  /** Any change of what has not left is progress, however slow. */
  lastsMs(now: number, unsentBytes: number): number {
    if (unsentBytes !== this.#bytes) {
      this.#bytes = unsentBytes;
      this.#since = now;
    }
    return now - this.#since;
  }
}

/** Bytes that have not left for the network. While a large piece leaves, Node's streams count it whole, and only its handle says how much of it is left. */
export function unsentBytesOf(stream: { readonly writableLength: number }): number {
  const handle: unknown = "_handle" in stream ? stream._handle : null;
  const queued: unknown =
    typeof handle === "object" && handle !== null && "writeQueueSize" in handle ? handle.writeQueueSize : null;
  return typeof queued === "number" ? queued : stream.writableLength;
}
