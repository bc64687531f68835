/** Caps on connections; counts are the broker's, so that all its gateways share them. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxPerAddress: number;
  readonly maxPerIdentity: number;
  readonly maxNewPerSecond: number;
}

export type AdmissionRefusal =
  "too_many_connections" | "too_many_from_address" | "too_many_new" | "too_many_of_identity";

/** Counts the connections of one broker: in total, per address, per identity, and new ones per second. */
export class Admission {
  readonly #byAddress = new Map<string, number>();
  readonly #byIdentity = new Map<string, number>();
  #connections = 0;
  /** New ones that may still come, refilled with time. */
  #allowance: number | null = null;
  #refilledAt = 0;

  get connections(): number {
    return this.#connections;
  }

  /** A seat, or which cap is reached. `now` in milliseconds; `address` null is counted in total only. */
  enter(address: string | null, limits: ConnectionLimits, now: number): Seat | AdmissionRefusal {
    if (this.#connections >= limits.maxConnections) return "too_many_connections";
    if (address !== null && (this.#byAddress.get(address) ?? 0) >= limits.maxPerAddress) return "too_many_from_address";
    if (!this.#mayBeNew(limits.maxNewPerSecond, now)) return "too_many_new";
    this.#connections += 1;
    if (address !== null) add(this.#byAddress, address, 1);
    return new Seat(this, address);
  }

  /** Counts a seat under an identity; false, and not counted, when that one has too many. A second call moves the seat. */
  identify(seat: Seat, identity: string | null, maxPerIdentity: number): boolean {
    if (identity === seat.identity) return true;
    if (identity !== null && (this.#byIdentity.get(identity) ?? 0) >= maxPerIdentity) return false;
    if (seat.identity !== null) add(this.#byIdentity, seat.identity, -1);
    seat.identity = identity;
    if (identity !== null) add(this.#byIdentity, identity, 1);
    return true;
  }

  /** Called by a seat, once. */
  left(seat: Seat): void {
    this.#connections -= 1;
    if (seat.address !== null) add(this.#byAddress, seat.address, -1);
    if (seat.identity !== null) add(this.#byIdentity, seat.identity, -1);
  }

  // A bucket of one second's worth: a burst of so many at once is a second's right.
  #mayBeNew(perSecond: number, now: number): boolean {
    if (perSecond === Infinity) return true;
    const earned = (Math.max(now - this.#refilledAt, 0) / 1_000) * perSecond;
    const allowance = Math.min((this.#allowance ?? perSecond) + earned, perSecond);
    this.#refilledAt = now;
    this.#allowance = allowance >= 1 ? allowance - 1 : allowance;
    return allowance >= 1;
  }
}

/** One connection's place in the counts. */
export class Seat {
  readonly address: string | null;
  identity: string | null = null;
  /** Null once it is left. */
  #admission: Admission | null;

  constructor(admission: Admission, address: string | null) {
    this.#admission = admission;
    this.address = address;
  }

  /** Idempotent. */
  leave(): void {
    const admission = this.#admission;
    this.#admission = null;
    admission?.left(this);
  }
}

// Nobody stays in the map at 0: it never holds more entries than there are connections.
function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
