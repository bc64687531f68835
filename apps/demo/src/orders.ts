import type { CatalogSync } from "@starcast/catalog";
import type { LiveSource } from "./catalog/live-source.ts";
import { burstRounds } from "./catalog/live-source.ts";
import type { OrderInput, Orders } from "./page-server/controls.ts";
import { OrderError } from "./page-server/order-error.ts";
import { readOwnModel } from "./page-server/own-model.ts";
import type { LiveSide } from "./sides/live-side.ts";
import type { MqttSide } from "./sides/mqtt-side.ts";
import { priceWatchId } from "./sides/price-watch-side.ts";
import type { PriceWatchSide } from "./sides/price-watch-side.ts";
import { partnerId } from "./sides/webhook-side.ts";
import type { WebhookSide } from "./sides/webhook-side.ts";

/** What the page's buttons can do to. */
export interface Orderable {
  readonly sync: CatalogSync;
  readonly source: LiveSource;
  readonly live: { readonly websocket: LiveSide; readonly sse: LiveSide };
  readonly mqtt: MqttSide;
  readonly webhooks: WebhookSide;
  readonly priceWatch: PriceWatchSide;
  /** Null where nobody would start it again. */
  readonly restart: (() => void) | null;
}

/** The orders of the page, by name. */
export function ordersOf({ sync, source, live, mqtt, webhooks, priceWatch, restart }: Orderable): Orders {
  const sides = new Map<unknown, WebhookSide | PriceWatchSide>([
    [partnerId, webhooks],
    [priceWatchId, priceWatch],
  ]);
  const sideOf = ({ endpoint }: OrderInput): WebhookSide | PriceWatchSide => {
    const side = sides.get(endpoint);
    if (side === undefined) throw new OrderError("invalid_input", `Expected one of ${[...sides.keys()].join(", ")}`);
    return side;
  };
  return new Map<string, (input: OrderInput) => unknown>([
    ["websocket cut", () => live.websocket.client.drop()],
    ["websocket mend", () => void live.websocket.client.resume()],
    ["sse stall", () => live.sse.client.stall()],
    ["sse mend", () => live.sse.client.unstall()],
    ["mqtt freeze", () => mqtt.freeze()],
    ["mqtt mend", () => mqtt.thaw()],
    ["mqtt stop", () => mqtt.stop()],
    ["mqtt start", () => mqtt.start()],
    ["webhooks stop", () => Promise.all([webhooks.stop(), priceWatch.stop()])],
    ["webhooks mend", () => Promise.all([webhooks.start(), priceWatch.start()])],
    ["webhooks rotate", (input) => sideOf(input).rotate()],
    ["webhooks redeliver", (input) => redeliver(sideOf(input), input["endpoint"])],
    ["catalog burst", () => burst(sync, source)],
    [
      "catalog publish",
      (input) => {
        source.put(readOwnModel(input));
        return sync.sync();
      },
    ],
    ["process restart", () => restartWith(restart)],
  ]);
}

// Its end is nothing to wait for: the page watches it.
function burst(sync: CatalogSync, source: LiveSource): void {
  if (source.burstLeft !== null) throw new OrderError("not_possible", "A burst is under way already");
  source.startBurst();
  const go = async (): Promise<void> => {
    for (let round = 0; round < burstRounds; round += 1) await sync.sync();
  };
  // The observer is told why a sync failed; the next one goes on with the burst.
  go().catch(() => undefined);
}

async function redeliver({ dispatcher }: WebhookSide | PriceWatchSide, endpoint: unknown): Promise<void> {
  await dispatcher.deadLetters.redeliver({ endpointId: String(endpoint) });
}

function restartWith(restart: (() => void) | null): void {
  if (restart === null) throw new OrderError("not_possible", "Nobody would start it again");
  restart();
}
