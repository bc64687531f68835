import type { DeliveredEvent } from "@starcast/core";

/** A delivery that was stored and not tried yet, as it is in the file. */
export interface FreshDelivery {
  /** Its place in the file. */
  readonly sequence: number;
  readonly endpointId: string;
  readonly event: DeliveredEvent;
  readonly orderKey: string | undefined;
  readonly createdAt: number;
  readonly dueAt: number;
}

/** Fresh deliveries kept in memory, about so many bytes; the others are read from the file. */
export const maxFreshBytes = 16_777_216;

/**
 * The newest deliveries that nobody has tried: most are tried right after they were stored, and reading one back costs
 * more than storing it did (0.4x of the deliveries per second).
 */
export class FreshDeliveries {
  readonly #maxBytes: number;
  /** By their places, oldest first. */
  readonly #bySequence = new Map<number, FreshDelivery>();
  #bytes = 0;

  constructor(maxBytes: number = maxFreshBytes) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#bySequence.size;
  }

  add(delivery: FreshDelivery): void {
    this.#bySequence.set(delivery.sequence, delivery);
    this.#bytes += bytesOf(delivery);
    if (this.#bytes <= this.#maxBytes) return;
    for (const oldest of this.#bySequence.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.take(oldest);
    }
  }

  /** It is tried now, and fresh no more; undefined where the file must be asked. */
  take(sequence: number): FreshDelivery | undefined {
    const delivery = this.#bySequence.get(sequence);
    if (delivery === undefined) return undefined;
    this.#bySequence.delete(sequence);
    this.#bytes -= bytesOf(delivery);
    return delivery;
  }
}

// An event of several deliveries is counted for each: it is let go of with the last.
function bytesOf({ event }: FreshDelivery): number {
  return event.json.length * 2 + 400;
}
