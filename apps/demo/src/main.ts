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
import { PageServer } from "./page-server/page-server.ts";
import { withoutExpectedTrouble } from "./services/expected-trouble.ts";
import { farewell } from "./services/farewell.ts";
import { listen } from "./services/listen.ts";
import { LiveSide } from "./sides/live-side.ts";
import { MqttSide } from "./sides/mqtt-side.ts";
import { WebhookSide } from "./sides/webhook-side.ts";

const options = readDemoOptionsOrExit(process.argv.slice(2), process.env);
const stop = untilSignal("SIGINT", "SIGTERM");
const write = (line: string): void => void process.stdout.write(`${line}\n`);

// One broker; every way out is given to it.
const log = withoutExpectedTrouble(logTo(console));
const broker = new Broker({
  events: catalogEvents,
  observe: options.isOnce ? [log] : [log, farewell(write)],
  drain: { spreadMs: 1_000, deadlineMs: 5_000 },
});

// WebSocket and SSE share one URL.
const door = new Door(options.token);
const server = createServer();
const sse = new SseGateway(broker, { authorize: door.authorize });
new WebSocketGateway(broker, { server, path: "/events", authorize: door.authorize });

const mqtt = await MqttSide.open(broker, options.mqttUrl);
const webhooks = await WebhookSide.open(broker);

// A real catalog: a thousand changes between two versions, then those of a week, a few at a time.
const replay = new CatalogReplay(readPriceLists());
const sync = new CatalogSync(broker, { source: () => replay.next(), intervalMs: options.isOnce ? false : 2_000 });

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
  await sync.sync();
  const live = await LiveSide.openBoth(`${origin}/events`, broker.position);
  process.exitCode = await runCheck(write, broker, sync, [...live, mqtt, webhooks]);
  for (const side of live) side.close();
  await broker.close();
} else {
  write(`Starcast is at ${origin}/${options.token === null ? "" : `?token=${options.token}`}   (Ctrl-C ends it)`);
  write(`MQTT: catalog/events/# ${options.mqttUrl === null ? `at ${mqtt.url}` : "at your MQTT broker"}`);
  await broker.run({ signal: stop });
}

page.close();
server.close();
await mqtt.close();
await webhooks.stop();
