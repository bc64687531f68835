import type { Delivery, DeliveryPage, DeliverySelection } from "@starcast/core";
import type { Deliveries, PageOptions } from "./deliveries.ts";

/** Which dead letters: by endpoint, event and the time the delivery was made. */
export type DeadLetterSelection = Omit<DeliverySelection, "states">;

/** Deliveries given up, kept for people: to see why, and to send them again. */
export class DeadLetters {
  readonly #deliveries: Deliveries;

  constructor(deliveries: Deliveries) {
    this.#deliveries = deliveries;
  }

  /** Newest first. */
  list(selection: DeadLetterSelection = {}, page: PageOptions = {}): Promise<DeliveryPage> {
    return this.#deliveries.list({ ...selection, states }, page);
  }

  /** One of them with its attempts; null when there is none, or it is not dead. */
  async inspect(endpointId: string, eventId: string): Promise<Delivery | null> {
    const delivery = await this.#deliveries.get(endpointId, eventId);
    return delivery?.state.kind === "dead" ? delivery : null;
  }

  /** Sends them again, from the first attempt on; resolves with how many. */
  redeliver(selection: DeadLetterSelection = {}): Promise<number> {
    return this.#deliveries.redeliver({ ...selection, states });
  }
}

const states = ["dead"] as const;
