/** What the clock says a connection has to do. */
export type Due =
  | "nothing"
  /** Send a ping and a heartbeat. */
  | "beat"
  /** A ping was not answered: nobody is there. */
  | "pong_timeout"
  /** The grant has ended: tell the client, which has a while to bring a new token. */
  | "expired"
  /** Leave: its place in the log was not found, it is too old, or no new token came. */
  | "try_later"
  | "restart"
  | "unauthorized";

export interface Timing {
  /** What times are counted from: as small integers they take no memory of their own. */
  readonly since: number;
  readonly heartbeatMs: number;
  readonly pongTimeoutMs: number;
  readonly tokenGraceMs: number;
}

/** What bounds a connection beside its age. */
type Bound =
  /** Its place in the log has to be found by then. */
  | { readonly kind: "opening"; readonly at: number }
  /** Its grant ends. */
  | { readonly kind: "expiring"; readonly at: number }
  /** Its grant has ended: until then it may bring a new token. */
  | { readonly kind: "grace"; readonly at: number };

/** Everything that one connection has to do at a certain time. Holds no timer: it is asked. */
export class Deadlines {
  /** Since `timing.since`. */
  #beatAfterMs: number;
  // Null, where nothing is awaited: a number of each connection's own takes memory.
  readonly #agesAt: number | null;
  #pongBy: number | null = null;
  #bound: Bound | null;

  /** Until it is opened there is a bound: by then its place in the log must be found. */
  constructor(now: number, { since, heartbeatMs }: Timing, agesAt: number) {
    // A difference of large numbers stays one inside V8, until it is rounded.
    this.#beatAfterMs = Math.round(now - since) + heartbeatMs;
    this.#agesAt = agesAt === Infinity ? null : agesAt;
    this.#bound = { kind: "opening", at: now + openingTimeoutMs };
  }

  get isPongAwaited(): boolean {
    return this.#pongBy !== null;
  }

  /** The next time at which something is due. */
  next({ since }: Timing): number {
    const [ages, pong, bound] = [this.#agesAt, this.#pongBy, this.#bound?.at];
    return Math.min(since + this.#beatAfterMs, ages ?? Infinity, pong ?? Infinity, bound ?? Infinity);
  }

  /** It is open, or its grant is a new one: until when; `Infinity` when that does not end. */
  grantUntil(expiresAt: number): void {
    this.#bound = expiresAt === Infinity ? null : { kind: "expiring", at: expiresAt };
  }

  ponged(): void {
    this.#pongBy = null;
  }

  /** While it was full it could not read the ping: its time begins now. */
  hasRoom(now: number, pongTimeoutMs: number): void {
    if (this.#pongBy !== null) this.#pongBy = Math.max(this.#pongBy, now + pongTimeoutMs);
  }

  /** What is due now, and is then not due again; nobody is pinged who cannot answer: who is full, or not read yet. */
  take(now: number, cannotAnswer: boolean, timing: Timing): Due {
    if (this.#pongBy !== null && now >= this.#pongBy && !cannotAnswer) return "pong_timeout";
    const reached = this.#bound !== null && now >= this.#bound.at ? this.#bound.kind : null;
    if (reached === "opening") return "try_later";
    if (reached === "grace") return "unauthorized";
    if (reached === "expiring") {
      this.#bound = { kind: "grace", at: now + timing.tokenGraceMs };
      return "expired";
    }
    if (this.#agesAt !== null && now >= this.#agesAt) return "restart";
    const passedMs = now - timing.since;
    if (passedMs < this.#beatAfterMs) return "nothing";
    // Late looks do not add up, and missed beats are not made up for.
    this.#beatAfterMs = Math.max(this.#beatAfterMs, Math.round(passedMs - timing.heartbeatMs / 2)) + timing.heartbeatMs;
    if (cannotAnswer) return "nothing";
    this.#pongBy = now + timing.pongTimeoutMs;
    return "beat";
  }
}

/** A place in the log is found at once, or the log is in trouble. */
export const openingTimeoutMs = 10_000;

/** How long a client has to answer a close frame, and how long one that does not read. */
export const closeTimeoutMs = 5_000;
export const stalledCloseTimeoutMs = 1_000;
