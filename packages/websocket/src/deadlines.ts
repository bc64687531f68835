/** What the clock says a connection has to do. */
export type Due =
  | "nothing"
  /** Send a ping and a heartbeat. */
  | "beat"
  /** A ping was not answered: nobody is there. */
  | "pong_timeout"
  /** The grant has ended: tell the client, which has a while to bring a new token. */
  | "expired"
  /** Leave, as `endsAs` says. */
  | "ended";

/** How a connection ends that ends by the clock. */
export type EndsAs = "try_later" | "restart" | "unauthorized";

export interface Timing {
  readonly heartbeatMs: number;
  readonly pongTimeoutMs: number;
  readonly tokenGraceMs: number;
}

/** Everything that one connection has to do at a certain time. Holds no timer: it is asked. */
export class Deadlines {
  #beatAt: number;
  #pongBy = Infinity;
  #expiresAt = Infinity;
  #endsAt: number;
  #endsAs: EndsAs = "try_later";

  /** Until it is opened there is one: by then its place in the log must be found. */
  constructor(now: number, heartbeatMs: number) {
    this.#beatAt = now + heartbeatMs;
    this.#endsAt = now + openingTimeoutMs;
  }

  get endsAs(): EndsAs {
    return this.#endsAs;
  }

  get isPongAwaited(): boolean {
    return this.#pongBy !== Infinity;
  }

  /** The next time at which something is due. */
  get next(): number {
    return Math.min(this.#beatAt, this.#pongBy, this.#expiresAt, this.#endsAt);
  }

  /** It is open, or its grant is a new one: until when, and how old it may get. */
  grantUntil(expiresAt: number, endsAt: number): void {
    this.#expiresAt = expiresAt;
    this.#endsAt = endsAt;
    this.#endsAs = "restart";
  }

  ponged(): void {
    this.#pongBy = Infinity;
  }

  /** While it was full it could not read the ping: its time begins now. */
  hasRoom(now: number, pongTimeoutMs: number): void {
    if (this.isPongAwaited) this.#pongBy = Math.max(this.#pongBy, now + pongTimeoutMs);
  }

  /** What is due now, and is then not due again; nobody is pinged who is full. */
  take(now: number, isFull: boolean, timing: Timing): Due {
    if (now >= this.#pongBy && !isFull) return "pong_timeout";
    if (now >= this.#expiresAt) {
      this.#expiresAt = Infinity;
      this.#endsAt = Math.min(this.#endsAt, now + timing.tokenGraceMs);
      this.#endsAs = "unauthorized";
      return "expired";
    }
    if (now >= this.#endsAt) return "ended";
    if (now < this.#beatAt) return "nothing";
    // Late looks do not add up, and missed beats are not made up for.
    this.#beatAt = Math.max(this.#beatAt + timing.heartbeatMs, now + timing.heartbeatMs / 2);
    if (isFull) return "nothing";
    this.#pongBy = now + timing.pongTimeoutMs;
    return "beat";
  }
}

/** A place in the log is found at once, or the log is in trouble. */
export const openingTimeoutMs = 10_000;

/** How long a client has to answer a close frame, and how long one that does not read. */
export const closeTimeoutMs = 5_000;
export const stalledCloseTimeoutMs = 1_000;

/** How often it is looked whether a full connection moves. */
export const lookAtFullMs = 1_000;
