import { createServer } from "node:http";
import { Broker } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { SseGateway } from "@starcast/sse";
import { unlimited } from "./unlimited.ts";
import { serve } from "./contender.ts";

const broker = new Broker({ observe: [] });
const gateway = new SseGateway(broker, { authorize: allowAnyone, connections: unlimited });
serve({
  server: createServer((request, response) => gateway.handle(request, response)),
  publish: ({ type, data }) => void broker.publish(type, data),
});
