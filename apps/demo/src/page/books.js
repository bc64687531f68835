/** Where a place in the log is: `epoch-offset`, as event ids are. */
export function readPosition(text) {
  const at = text.lastIndexOf("-");
  return { epoch: text.slice(0, at), offset: Number(text.slice(at + 1)) };
}

/** What one connection of this page has received: counts, the newest events, and where to resume. */
export class Books {
  /** The last id seen: what a new connection resumes after; null before the first. */
  position = null;
  received = 0;
  repeated = 0;
  /** Events that were left out without a word: what must never happen. */
  lost = 0;
  /** Events that were told, in band, never to come. */
  told = 0;
  /** Newest first. */
  recent = [];

  /** Takes a frame of either gateway: an event, or what the gateway itself says. */
  take(frame) {
    if (frame.type === "client.connected") return this.#connected(frame.data);
    if (frame.type === "client.heartbeat") return this.#move(frame.data.position);
    if (frame.type === "client.gap") return this.#gap(frame);
    if (frame.id !== undefined) return this.#event(frame);
  }

  get offset() {
    return this.position === null ? null : readPosition(this.position).offset;
  }

  #connected({ position }) {
    if (this.position === null) this.position = position;
  }

  #move(position) {
    if (this.#distance(position) > 0) this.position = position;
  }

  #event(frame) {
    const distance = this.#distance(frame.id);
    if (distance <= 0) {
      this.repeated += 1;
      return;
    }
    this.lost += distance - 1;
    this.received += 1;
    this.position = frame.id;
    this.#show(frame);
  }

  #gap(frame) {
    const distance = this.#distance(frame.data.through);
    this.told += Math.max(0, distance);
    this.position = frame.data.through;
    this.#show(frame);
  }

  // How many places further on; offsets are dense. Another epoch is another log: its first event follows.
  #distance(id) {
    if (this.position === null) return 1;
    const [known, next] = [readPosition(this.position), readPosition(id)];
    return known.epoch === next.epoch ? next.offset - known.offset : 1;
  }

  #show(frame) {
    this.recent.unshift(frame);
    if (this.recent.length > 12) this.recent.pop();
  }
}
