import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { CatalogSync } from "@starcast/catalog";
import type { AnyBroker } from "@starcast/core";
import type { ClientLag } from "@starcast/core/gateway";
import type { LiveCatalog } from "./catalog/live-catalog.ts";
import type { LiveSource } from "./catalog/live-source.ts";
import type { DurableFolder } from "./durable/durable-folder.ts";
import { ordersOf } from "./orders.ts";
import { builtPage } from "./page-server/built-page.ts";
import type { Door } from "./page-server/door.ts";
import { PageServer } from "./page-server/page-server.ts";
import { LiveSide } from "./sides/live-side.ts";
import type { MqttSide } from "./sides/mqtt-side.ts";
import { PriceWatchSide, priceWatchId, shortScheduleMs } from "./sides/price-watch-side.ts";
import { localWebhooks } from "./sides/outage-settings.ts";
import { partnerId } from "./sides/webhook-side.ts";
import type { WebhookSide } from "./sides/webhook-side.ts";
import { reportMaker } from "./status/make-report.ts";
import { restartOrder } from "./supervise.ts";
import type { AttemptBoard } from "./watch/attempt-board.ts";
import type { ConnectionBoard } from "./watch/connection-board.ts";

export interface ShowpieceParts {
  readonly broker: AnyBroker;
  readonly door: Door;
  readonly catalog: LiveCatalog;
  readonly source: LiveSource;
  readonly sync: CatalogSync;
  readonly mqtt: MqttSide;
  readonly webhooks: WebhookSide;
  readonly gateways: readonly { slowest(): readonly ClientLag[] }[];
  readonly connections: ConnectionBoard;
  readonly attempts: AttemptBoard;
  readonly folder: DurableFolder | null;
}

/** What a demo with a page has beyond the four ways out: receivers of its own, the page, and its buttons. */
export class Showpiece {
  readonly #page: PageServer;
  readonly #live: readonly LiveSide[];
  readonly #priceWatch: PriceWatchSide;

  private constructor(page: PageServer, live: readonly LiveSide[], priceWatch: PriceWatchSide) {
    this.#page = page;
    this.#live = live;
    this.#priceWatch = priceWatch;
  }

  /** Resolves when the receivers are connected; answers the server's requests from then on. */
  static async open(
    { door, folder, catalog, ...parts }: ShowpieceParts,
    {
      origin,
      events,
      server,
    }: {
      readonly origin: string;
      readonly events: (request: IncomingMessage, response: ServerResponse) => void;
      readonly server: Server;
    },
  ): Promise<Showpiece> {
    let answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
      void response.writeHead(503, { "retry-after": "1" }).end();
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      // The gateway judges its visitors itself.
      if (/^\/events(?:\?|$)/.test(request.url ?? "")) events(request, response);
      else answer(request, response);
    });
    const [page, [websocket, sse], priceWatch] = await Promise.all([
      builtPage(),
      LiveSide.openBoth(`${origin}/events`, parts.broker.position, { token: door.token, folder }),
      PriceWatchSide.open(parts.broker),
    ]);
    const live = { websocket, sse };
    const restart = restartOrder();
    const endpoints = [
      {
        id: partnerId,
        about: "Gets every event, in order, for as long as it takes",
        maxAttempts: localWebhooks.scheduleMs?.length ?? 1,
        side: parts.webhooks,
      },
      {
        id: priceWatchId,
        about: "Gets price changes; refuses one request in four, and is given up after three tries",
        maxAttempts: shortScheduleMs.length,
        side: priceWatch,
      },
    ];
    const report = reportMaker({ ...parts, catalog, live, endpoints, canRestart: restart !== null });
    const orders = ordersOf({ ...parts, live, priceWatch, restart });
    const pageServer = new PageServer({ door, folder: page, report, orders, catalog });
    answer = pageServer.handle;
    return new Showpiece(pageServer, [websocket, sse], priceWatch);
  }

  async close(): Promise<void> {
    this.#page.close();
    for (const side of this.#live) side.close();
    await this.#priceWatch.stop();
  }
}
