import { createServer } from "node:http";
import { CatalogSync, catalogEvents } from "@starcast/catalog";
import { Broker, logTo, untilSignal } from "@starcast/core";
import { SseGateway } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";
import { CatalogReplay } from "./catalog/catalog-replay.ts";
import { readPriceLists } from "./catalog/price-lists.ts";
import { readDemoOptionsOrExit } from "./demo-options.ts";
import { runCheck } from "./once/run-check.ts";
import { Door } from "./page-server/door.ts";
import { DurableFolder } from "./durable/durable-folder.ts";
import { PageServer } from "./page-server/page-server.ts";
import { withoutExpectedTrouble } from "./services/expected-trouble.ts";
import { farewell } from "./services/farewell.ts";
import { greeting } from "./services/greeting.ts";
import { listen } from "./services/listen.ts";
import { MqttSide } from "./sides/mqtt-side.ts";
import { WebhookSide } from "./sides/webhook-side.ts";

const options = readDemoOptionsOrExit(process.argv.slice(2), process.env);
const stop = untilSignal("SIGINT", "SIGTERM");
const write = (line: string): void => void process.stdout.write(`${line}\n`);

// One broker; every way out is given to it.
const log = withoutExpectedTrouble(logTo(console));
const folder = await DurableFolder.open(options.durable);
const broker = new Broker({
  store: folder?.store,
  events: catalogEvents,
  observe: options.isOnce ? [log] : [log, farewell(write)],
  drain: { spreadMs: 1_000, deadlineMs: 5_000 },
});

// WebSocket and SSE share one URL.
const door = new Door(options.token);
const server = createServer();
const sse = new SseGateway(broker, { authorize: door.authorize });
new WebSocketGateway(broker, { server, path: "/events", authorize: door.authorize });

const mqtt = await MqttSide.open(broker, options.mqttUrl, folder);
const webhooks = await WebhookSide.open(broker, folder);

// A real catalog: a thousand changes between two versions, then those of a week, a few at a time.
const replay = new CatalogReplay(readPriceLists());
const sync = new CatalogSync(broker, { source: replay.answer, intervalMs: options.isOnce ? false : 2_000 });

const page = new PageServer({
  door,
  events: sse.handle,
  facts: {
    position: () => broker.position,
    models: () => sync.snapshot.size,
    canBurst: () => sync.status.state === "waiting",
    transports: { mqtt, webhooks },
  },
  orders: {
    "mqtt stop": () => mqtt.stop(),
    "mqtt start": () => mqtt.start(),
    "webhooks stop": () => webhooks.stop(),
    "webhooks start": () => webhooks.start(),
    "catalog burst": () => (replay.jumpBack(), sync.sync()),
  },
});
server.on("request", page.handle);
const origin = await listen(server, options);

if (options.isOnce) {
  process.exitCode = await runCheck(write, broker, sync, { origin, sides: [mqtt, webhooks] });
  await broker.close();
} else {
  write(greeting(options, { origin, mqttUrl: mqtt.url, position: broker.position }));
  await broker.run({ signal: stop });
}

page.close();
server.close();
await mqtt.close();
await webhooks.stop();
folder?.close();
