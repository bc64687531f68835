import { catalogEvents } from "@starcast/catalog";
import type { AnyBroker } from "@starcast/core";
import { WebhookDispatcher } from "@starcast/webhook";
import { Receiver } from "../receivers/receiver.ts";
import { WebhookEndpoint } from "../receivers/webhook-endpoint.ts";
import type { Temper } from "../receivers/webhook-endpoint.ts";
import type { CheckedTransport, Outage } from "./checked-transport.ts";
import type { DurableFolder } from "../durable/durable-folder.ts";
import { localWebhooks } from "./outage-settings.ts";

/** The endpoint of the partner. */
export const partnerId = "partner";

/** How long an old key goes on signing beside the new one. */
export const rotateOverlapMs = 60_000;

/** Webhooks from end to end: a dispatcher, and a partner's endpoint that verifies every signature. */
export class WebhookSide implements CheckedTransport {
  readonly receiver: Receiver;
  /** Each delivery is on its own. */
  readonly isOrdered = false;
  readonly outages: CheckedTransport["outages"];
  readonly dispatcher: WebhookDispatcher;
  readonly #endpoint: WebhookEndpoint;

  private constructor(receiver: Receiver, endpoint: WebhookEndpoint, dispatcher: WebhookDispatcher) {
    const down = { what: "endpoint down", begin: () => this.stop(), end: () => this.start() };
    const acting = (what: string, temper: Temper): Outage => ({
      what,
      begin: () => void (endpoint.temper = temper),
      end: () => void (endpoint.temper = "good"),
    });
    this.receiver = receiver;
    this.#endpoint = endpoint;
    this.dispatcher = dispatcher;
    // Answers that are lost make duplicates, by the same id.
    this.outages = [down, acting("answers 503", "refusing"), acting("answers lost", "forgetful")];
  }

  /** Resolves when the endpoint is registered: it gets every event from then on, and what an earlier life still owes it. */
  static async open(broker: AnyBroker, folder: DurableFolder | null): Promise<WebhookSide> {
    const endpoint = await WebhookEndpoint.start();
    const dispatcher = new WebhookDispatcher(broker, { allow: [endpoint.origin], ...localWebhooks });
    const receiver = new Receiver("webhooks", broker.position, folder?.book("webhooks"));
    const { keys } = await dispatcher.endpoints.put({ id: partnerId, url: endpoint.url, ordering: "strict" });
    endpoint.accept(keys, catalogEvents, receiver);
    return new WebhookSide(receiver, endpoint, dispatcher);
  }

  get isUp(): boolean {
    return this.#endpoint.isUp;
  }

  /** A new key signs from now on, the old one beside it for a while; the receiver takes both. */
  async rotate(): Promise<void> {
    const { keys } = await this.dispatcher.endpoints.rotate(partnerId, { overlapMs: rotateOverlapMs });
    this.#endpoint.accept(keys, catalogEvents, this.receiver);
  }

  stop(): Promise<void> {
    return this.#endpoint.stop();
  }

  start(): Promise<void> {
    return this.#endpoint.start();
  }
}
