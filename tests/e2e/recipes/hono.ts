import { createServer, type Server } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { Hono } from "hono";
import type { Broker } from "@starcast/core";
import { SseGateway, type Authorize } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";

/** Without the address of the client, connections would not be capped per address. */
export function serveWithHono(broker: Broker, authorize: Authorize): Server {
  const sse = new SseGateway(broker, { authorize });
  const app = new Hono();
  app.all("/events", (context) => sse.fetch(context.req.raw, { remoteAddress: getConnInfo(context).remote.address }));
  const listener = getRequestListener(app.fetch);
  const server = createServer((request, response) => void listener(request, response));
  new WebSocketGateway(broker, { server, path: "/events", authorize });
  return server;
}
