import { createServer } from "node:http";
import { CatalogSync, catalogEvents } from "@starcast/catalog";
import { Broker, MemoryStore, logTo } from "@starcast/core";
import { SseGateway } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";
import { CatalogReplay } from "./catalog/catalog-replay.ts";
import { LiveCatalog } from "./catalog/live-catalog.ts";
import { LiveSource } from "./catalog/live-source.ts";
import { readPriceLists } from "./catalog/price-lists.ts";
import type { DemoOptions } from "./demo-options.ts";
import { DurableFolder } from "./durable/durable-folder.ts";
import { runCheck } from "./once/run-check.ts";
import { Door } from "./page-server/door.ts";
import { withoutExpectedTrouble } from "./services/expected-trouble.ts";
import { farewell } from "./services/farewell.ts";
import { greeting } from "./services/greeting.ts";
import { listen } from "./services/listen.ts";
import { Showpiece } from "./showpiece.ts";
import { MqttSide } from "./sides/mqtt-side.ts";
import { WebhookSide } from "./sides/webhook-side.ts";
import { stopSignal, toldPort } from "./supervise.ts";
import { AttemptBoard } from "./watch/attempt-board.ts";
import { ConnectionBoard } from "./watch/connection-board.ts";

/** A burst fits into it, also for a receiver that stands still meanwhile. */
const retention = { maxEvents: 50_000, maxBytes: 134_217_728 };

/** One broker with every way out, on a real catalog: with a page until it is stopped, or checked once. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  const stop = stopSignal();
  const [connections, attempts] = [new ConnectionBoard(), new AttemptBoard()];
  const log = withoutExpectedTrouble(logTo(console));

  // One broker; every way out is given to it.
  const folder = await DurableFolder.open(options.durable);
  const broker = new Broker({
    store: folder?.store ?? new MemoryStore({ retention }),
    events: catalogEvents,
    observe: options.isOnce
      ? [log]
      : [
          log,
          farewell(write),
          connections.observe,
          attempts.observe,
          (moment) => void (moment.kind === "catalogSynced" && catalog.observe(moment)),
        ],
    drain: { spreadMs: 1_000, deadlineMs: 5_000 },
  });
  const catalog = new LiveCatalog(broker, () => sync.snapshot);

  // WebSocket and SSE share one URL.
  const door = new Door(options.token);
  const server = createServer();
  const sse = new SseGateway(broker, { authorize: door.authorize });
  const websocket = new WebSocketGateway(broker, { server, path: "/events", authorize: door.authorize });

  const mirror = options.isOnce ? null : () => catalog.snapshot();
  const mqtt = await MqttSide.open(broker, options.mqttUrl, { folder, mirror });
  const webhooks = await WebhookSide.open(broker, folder);

  // A real catalog: a thousand changes between two versions, then those of a week, a few at a time.
  const source = new LiveSource(new CatalogReplay(readPriceLists()));
  const sync = new CatalogSync(broker, { source: source.answer, intervalMs: options.isOnce ? false : 2_000 });

  const origin = await listen(server, options);
  if (options.isOnce) {
    server.on("request", sse.handle);
    process.exitCode = await runCheck(write, broker, sync, { origin, token: options.token, sides: [mqtt, webhooks] });
    await broker.close();
  } else {
    const gateways = [websocket, sse];
    const parts = { broker, door, gateways, catalog, source, sync, mqtt, webhooks, connections, attempts, folder };
    const showpiece = await Showpiece.open(parts, { origin, events: sse.handle, server });
    toldPort(server);
    write(greeting(options, { origin, mqttUrl: mqtt.url, position: broker.position }));
    await broker.run({ signal: stop });
    await showpiece.close();
  }

  server.close();
  await mqtt.close();
  await webhooks.stop();
  folder?.close();
}
