import { createServer, type Server } from "node:http";
import type { Broker } from "@starcast/core";
import { SseGateway, type Authorize } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";

/** Both transports on /events of a plain server. */
export function serveWithNode(broker: Broker, authorize: Authorize): Server {
  const sse = new SseGateway(broker, { authorize });
  const server = createServer((request, response) => {
    if (request.url?.split("?", 1)[0] === "/events") return sse.handle(request, response);
    response.writeHead(404).end();
  });
  new WebSocketGateway(broker, { server, path: "/events", authorize });
  return server;
}
