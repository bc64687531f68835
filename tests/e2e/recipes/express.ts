import { createServer, type Server } from "node:http";
import express from "express";
import type { Broker } from "@starcast/core";
import { SseGateway, type Authorize } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";

/** `all`, not `get`, so that the gateway answers HEAD and the preflights of other origins too. */
export function serveWithExpress(broker: Broker, authorize: Authorize): Server {
  const sse = new SseGateway(broker, { authorize });
  const app = express();
  app.all("/events", sse.handle);
  const server = createServer(app);
  new WebSocketGateway(broker, { server, path: "/events", authorize });
  return server;
}
