import { isStarcastError, StarcastError, type ClaimRequest } from "@starcast/core";
import { decodeDelivery, readDeliveryKey, type DeliveryEntry } from "./delivery-entry.ts";
import type { Entry } from "./bucket.ts";

/** Told of to one call at most; what is more is only set aside. */
export const maxUntold = 100;

/** What stands in the bucket and is no delivery, or has no event: set aside, and told to who claims next, so that the others go on. */
export class DamagedDeliveries {
  #untold: { readonly endpointId: string; readonly error: unknown }[] = [];

  /** The delivery that an entry holds; null for one that was set aside. */
  read({ key, revision }: Entry, value: string): DeliveryEntry | null {
    try {
      return decodeDelivery(key, value, revision);
    } catch (error) {
      if (!isStarcastError(error, "store_corrupt")) throw error;
      this.#add(readDeliveryKey(key)?.endpointId ?? key, error);
      return null;
    }
  }

  /** What it would be of can be read no more. */
  hasNoEvent({ endpointId, event }: { readonly endpointId: string; readonly event: { readonly id: string } }): void {
    const message = `Expected the event of a delivery, ${event.id}, got none: its copy was damaged, or is kept no longer`;
    this.#add(endpointId, new StarcastError("store_corrupt", message));
  }

  /** Throws the first of them where nobody is to be told. */
  tell(onDamaged: ClaimRequest["onDamaged"]): void {
    const [first] = this.#untold;
    if (first === undefined) return;
    if (onDamaged === undefined) throw first.error;
    for (const { endpointId, error } of this.#untold.splice(0)) onDamaged(endpointId, error);
  }

  #add(endpointId: string, error: unknown): void {
    if (this.#untold.length < maxUntold) this.#untold.push({ endpointId, error });
  }
}
