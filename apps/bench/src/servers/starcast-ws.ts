import { createServer } from "node:http";
import { Broker } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { WebSocketGateway } from "@starcast/websocket";
import { unlimited } from "./unlimited.ts";
import { serve } from "./contender.ts";

const isShared = process.argv.includes("--shared");
const [flushMs = "0"] = process.argv.slice(2).filter((arg) => arg !== "--shared");
const broker = new Broker({ observe: [], flushMs: Number(flushMs) });
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
