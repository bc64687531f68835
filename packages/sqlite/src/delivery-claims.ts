import type { Claim, Delivery } from "@starcast/core";

/** A claim that stands, and where its delivery is in the file. */
export interface HeldClaim extends Claim {
  readonly sequence: number;
  readonly leaseUntil: number;
  /** Its outcome waits for a commit: until then nobody else may have the delivery, whatever the lease says. */
  isReported: boolean;
}

/**
 * Who tries what. In memory alone: one process has the file, and the claims of one that ended are over, so that writing
 * them down would cost a commit before each attempt and tell nobody anything. As many as are under way.
 */
export class DeliveryClaims {
  readonly #byToken = new Map<number, HeldClaim>();
  readonly #byEndpoint = new Map<string, Map<number, HeldClaim>>();
  /** Those that cannot be read, until the file is opened again. As many as are damaged. */
  readonly #setAside = new Map<string, Set<number>>();
  #token: number;

  /** Tokens go on from there: those of an earlier life of the file must not come again. */
  constructor(after: number) {
    this.#token = after;
  }

  /** Whoever held it before is stale. */
  hold(delivery: Delivery, sequence: number, leaseUntil: number): Claim {
    this.#token += 1;
    const { endpointId } = delivery;
    const held: HeldClaim = { delivery, token: this.#token, sequence, leaseUntil, isReported: false };
    const before = this.of(endpointId, sequence);
    if (before !== undefined) this.#byToken.delete(before.token);
    const ofEndpoint = this.#byEndpoint.get(endpointId) ?? new Map<number, HeldClaim>();
    this.#byEndpoint.set(endpointId, ofEndpoint);
    ofEndpoint.set(sequence, held);
    this.#byToken.set(held.token, held);
    return held;
  }

  /** The claim as it is held; undefined when it is stale, or was reported. */
  find({ token, delivery }: Claim): HeldClaim | undefined {
    const held = this.#byToken.get(token);
    const isSame = held?.delivery.event.id === delivery.event.id && held.delivery.endpointId === delivery.endpointId;
    return isSame && !held.isReported ? held : undefined;
  }

  /** Of a delivery, even if its lease ended: nobody claimed it since. */
  of(endpointId: string, sequence: number): HeldClaim | undefined {
    return this.#byEndpoint.get(endpointId)?.get(sequence);
  }

  /** Whether nobody else may have this delivery now. */
  isHeld(endpointId: string, sequence: number, now: number): boolean {
    const held = this.of(endpointId, sequence);
    if (held === undefined) return this.isSetAside(endpointId, sequence);
    return held.isReported || held.leaseUntil > now;
  }

  isSetAside(endpointId: string, sequence: number): boolean {
    return this.#setAside.get(endpointId)?.has(sequence) === true;
  }

  setAside(endpointId: string, sequence: number): void {
    const ofEndpoint = this.#setAside.get(endpointId) ?? new Set<number>();
    this.#setAside.set(endpointId, ofEndpoint.add(sequence));
  }

  /** How many due ones nobody can have. */
  countInTheWay(endpointId: string): number {
    return this.count(endpointId) + (this.#setAside.get(endpointId)?.size ?? 0);
  }

  count(endpointId: string): number {
    return this.#byEndpoint.get(endpointId)?.size ?? 0;
  }

  /** When the first lease of an endpoint ends; Infinity without one. */
  earliestEnd(endpointId: string): number {
    let earliest = Infinity;
    for (const { leaseUntil, isReported } of this.#byEndpoint.get(endpointId)?.values() ?? [])
      if (!isReported && leaseUntil < earliest) earliest = leaseUntil;
    return earliest;
  }

  /** Where everything that is being tried is in the file. */
  sequences(): readonly number[] {
    return Array.from(this.#byToken.values(), ({ sequence }) => sequence);
  }

  end(held: HeldClaim): void {
    if (!this.#byToken.delete(held.token)) return;
    const { endpointId } = held.delivery;
    const ofEndpoint = this.#byEndpoint.get(endpointId);
    ofEndpoint?.delete(held.sequence);
    if (ofEndpoint?.size === 0) this.#byEndpoint.delete(endpointId);
  }

  endAll(endpointId: string): void {
    for (const { token } of this.#byEndpoint.get(endpointId)?.values() ?? []) this.#byToken.delete(token);
    this.#byEndpoint.delete(endpointId);
    this.#setAside.delete(endpointId);
  }
}
