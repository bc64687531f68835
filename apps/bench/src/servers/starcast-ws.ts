import { createServer } from "node:http";
import { Broker, MemoryStore } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { JetStreamStore } from "@starcast/nats";
import { WebSocketGateway } from "@starcast/websocket";
import { unlimited } from "./unlimited.ts";
import { serve } from "./contender.ts";

const isShared = process.argv.includes("--shared");
const natsUrl = process.argv.find((arg) => arg.startsWith("nats://"));
const [flushMs = "0"] = process.argv.slice(2).filter((arg) => /^\d+$/.test(arg));
const store =
  natsUrl === undefined ? new MemoryStore() : await JetStreamStore.open({ servers: natsUrl, stream: "gateways" });
const broker = new Broker({ store, observe: [], flushMs: Number(flushMs) });
const server = createServer();
// The load's raw clients answer no pings.
new WebSocketGateway(broker, {
  server,
  path: "/events",
  authorize: allowAnyone,
  connections: unlimited,
  heartbeatMs: 300_000,
  compression: isShared ? "shared" : "none",
});
serve({ server, publish: ({ type, data }) => void broker.publish(type, data) });
