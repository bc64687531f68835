import {
  checkKeys,
  formatPosition,
  integer,
  oneOf,
  requirePosition,
  StarcastError,
  type AnyBroker,
  type Backlog,
  type Delivery,
  type DeliveryPage,
  type DeliverySelection,
  type DeliveryState,
  type Position,
} from "@starcast/core";
import { catchUp } from "./catch-up.ts";
import type { EndpointRecords } from "./endpoint-records.ts";

/** Which part of a long list. */
export interface PageOptions {
  /** Deliveries in one page. @default 100 */
  readonly limit?: number | undefined;
  /** `next` of the page before. @default the first page */
  readonly next?: string | undefined;
}

/** Deliveries in one page at most. */
export const maxPage = 10_000;

/** The deliveries of a dispatcher: what became of them, and sending them again. */
export class Deliveries {
  readonly #broker: AnyBroker;
  readonly #records: EndpointRecords;
  readonly #onDue: () => void;

  constructor(broker: AnyBroker, records: EndpointRecords, onDue: () => void) {
    this.#broker = broker;
    this.#records = records;
    this.#onDue = onDue;
  }

  /** By endpoint, event, state and time, newest first; rejects with `unsupported` where the engine cannot look that up. */
  async list(selection: DeliverySelection, page: PageOptions = {}): Promise<DeliveryPage> {
    const { limit, next } = checkKeys("page", page, ["limit", "next"]);
    return this.#broker.store.deliveries.list(checked(selection), {
      limit: integer("limit", limit, 100, { min: 1, max: maxPage }),
      next,
    });
  }

  /** One delivery with its newest attempts; null once it is forgotten, or if there never was one. */
  get(endpointId: string, eventId: string): Promise<Delivery | null> {
    return this.#broker.store.deliveries.get(endpointId, eventId);
  }

  backlog(endpointId: string): Promise<Backlog> {
    return this.#broker.store.deliveries.backlog(endpointId);
  }

  /** Sends finished and dead deliveries of the selection again, from the first attempt on; resolves with how many. */
  async redeliver(selection: DeliverySelection): Promise<number> {
    const count = await this.#broker.store.deliveries.redeliver(
      checked(selection),
      this.#broker.surroundings.clock.now(),
    );
    if (count > 0) this.#onDue();
    return count;
  }

  /** Stores deliveries of the log's past that the endpoint never got, from after a place on; resolves with how many. */
  async redeliverMissing(endpointId: string, after: Position): Promise<number> {
    // A text, or an event, would be a place without an offset: nothing would be missing after it.
    requirePosition(formatPosition(after));
    await this.#records.load();
    const endpoint = this.#records.find(endpointId);
    if (endpoint === undefined)
      throw new StarcastError("not_found", `Expected an endpoint that was put, got \`${endpointId}\``);
    const { stored: count } = await catchUp({ broker: this.#broker, records: this.#records, endpoint, after });
    if (count > 0) this.#onDue();
    return count;
  }
}

const selectionKeys: readonly (keyof DeliverySelection)[] = ["endpointId", "eventId", "states", "since", "until"];
const stateKinds: readonly DeliveryState["kind"][] = ["pending", "attempting", "succeeded", "dead"];

/** Throws for a key or a state that there is none of: a selection with a misspelt limit would be all there is. */
function checked(selection: DeliverySelection): DeliverySelection {
  checkKeys("selection", selection, selectionKeys);
  for (const state of selection.states ?? []) oneOf("states", state, "dead", stateKinds);
  return selection;
}
