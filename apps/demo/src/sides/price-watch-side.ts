import { catalogEvents } from "@starcast/catalog";
import type { AnyBroker } from "@starcast/core";
import { WebhookDispatcher } from "@starcast/webhook";
import { WebhookEndpoint } from "../receivers/webhook-endpoint.ts";
import { rotateOverlapMs } from "./webhook-side.ts";

/** Three tries within two seconds: for people who want to see what becomes of a delivery that is given up. */
export const shortScheduleMs: readonly number[] = [0, 400, 1_500];

/** The endpoint of the price watch. */
export const priceWatchId = "price-watch";

/**
 * A second partner with less patience and more moods: it wants prices alone, answers 503 now and then, and what fails three
 * times becomes a dead letter, to be sent again by hand.
 */
export class PriceWatchSide {
  readonly dispatcher: WebhookDispatcher;
  readonly #endpoint: WebhookEndpoint;

  private constructor(endpoint: WebhookEndpoint, dispatcher: WebhookDispatcher) {
    this.#endpoint = endpoint;
    this.dispatcher = dispatcher;
  }

  /** Resolves when its endpoint is registered. */
  static async open(broker: AnyBroker): Promise<PriceWatchSide> {
    const endpoint = await WebhookEndpoint.start();
    endpoint.temper = "moody";
    const dispatcher = new WebhookDispatcher(broker, {
      name: priceWatchId,
      allow: [endpoint.origin],
      scheduleMs: shortScheduleMs,
      health: { breakerMinAttempts: Infinity },
    });
    const side = new PriceWatchSide(endpoint, dispatcher);
    const { keys } = await dispatcher.endpoints.put({
      id: priceWatchId,
      url: endpoint.url,
      types: ["model.updated"],
      ordering: "none",
    });
    side.#accept(keys);
    return side;
  }

  get isUp(): boolean {
    return this.#endpoint.isUp;
  }

  async rotate(): Promise<void> {
    const { keys } = await this.dispatcher.endpoints.rotate(priceWatchId, { overlapMs: rotateOverlapMs });
    this.#accept(keys);
  }

  stop(): Promise<void> {
    return this.#endpoint.stop();
  }

  start(): Promise<void> {
    return this.#endpoint.start();
  }

  #accept(keys: readonly string[]): void {
    this.#endpoint.accept(keys, catalogEvents, { take: () => undefined, takeGap: () => undefined });
  }
}
