// One gateway of the cluster: serves /events, and says twice a second that it is there.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Broker, logTo, untilSignal } from "@starcast/core";
import { JetStreamStore } from "@starcast/nats";
import { SseGateway, allowAnyone } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";

const { STARCAST_NODE: node = "node", NATS_URL: servers, HOST: host = "127.0.0.1", PORT: port = "0" } = process.env;
const replicas = Number(process.env["REPLICAS"] ?? 1);

const store = await JetStreamStore.open({ servers: servers?.split(","), stream: "starcast-demo", replicas });
const broker = new Broker({ store, observe: [logTo(console)], drain: { spreadMs: 500, deadlineMs: 4_000 } });
const sse = new SseGateway(broker, { authorize: allowAnyone, retry: { minMs: 100, maxMs: 500 } });
const server = createServer(sse.handle);
new WebSocketGateway(broker, { server, path: "/events", authorize: allowAnyone });
server.listen(Number(port), host, () => process.send?.((server.address() as AddressInfo).port));

let count = 0;
const beat = setInterval(() => {
  // Not awaited: while NATS is away it waits, and a rejection is told to the observer.
  void broker.publish("node.beat", { node, pid: process.pid, count: (count += 1) }, { subject: node });
}, 500);

const signal = untilSignal("SIGTERM", "SIGINT");
signal.addEventListener("abort", () => {
  clearInterval(beat);
  // First of all nobody new: a load balancer that finds the port closed goes to another node.
  server.close();
});
// A log that lost its tail cannot go on: the supervisor starts another process, which begins the new epoch.
await broker.run({ signal }).then(
  () => process.exit(0),
  () => process.exit(75),
);
