// One gateway process of a cluster: serves clients, delivers to MQTT and webhooks when it holds their lease, and publishes.
import { createServer } from "node:http";
import { Broker, untilSignal } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { MqttPublisher } from "@starcast/mqtt";
import { JetStreamStore } from "@starcast/nats";
import { SseGateway } from "@starcast/sse";
import { WebhookDispatcher } from "@starcast/webhook";
import { WebSocketGateway } from "@starcast/websocket";

const [name = "", natsUrl = "", mqttUrl = "", receiver = "", port = "", everyMs = "5"] = process.argv.slice(2);

const store = await JetStreamStore.open({ servers: natsUrl, stream: "cluster", publishTimeoutMs: 10_000 });
const broker = new Broker({ store, observe: [], drain: { spreadMs: 500, deadlineMs: 4_000 } });
const connections = { maxPerAddress: Infinity, maxNewPerSecond: Infinity };
const sse = new SseGateway(broker, { authorize: allowAnyone, connections });
const server = createServer((request, response) => sse.handle(request, response));
new WebSocketGateway(broker, { server, path: "/events", authorize: allowAnyone, connections });
new MqttPublisher(broker, { url: mqttUrl, topic: "cluster/{subject}" });
const webhooks = new WebhookDispatcher(broker, { allow: [receiver] });
await webhooks.endpoints.put({ id: "partner", url: `${receiver}/hook` });
server.listen(Number(port), "127.0.0.1", () => process.send?.({ isServing: true }));

let number = 0;
let isPublishing = Number(everyMs) > 0;
process.on("message", (message) => {
  if (message === "quiet") isPublishing = false;
});
void (async () => {
  while (isPublishing) {
    const key = `${name}-${process.pid}-${(number += 1)}`;
    // What is not acknowledged may or may not be there: the same key makes it one event.
    const published = await broker
      .publish("cluster.event", { key }, { subject: name, dedupeKey: key })
      .catch(() => null);
    if (published !== null) process.send?.({ key, id: published.id });
    else number -= 1;
    await new Promise((resolve) => setTimeout(resolve, Number(everyMs)));
  }
})();
const signal = untilSignal("SIGTERM");
// First of all nobody new: a load balancer that finds the port closed goes to another node.
signal.addEventListener("abort", () => void server.close());
// A log that lost its tail cannot go on: another process begins its new epoch.
await broker.run({ signal }).then(
  () => process.exit(0),
  () => process.exit(75),
);
