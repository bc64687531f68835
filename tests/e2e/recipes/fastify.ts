import fastify, { type FastifyInstance } from "fastify";
import type { Broker } from "@starcast/core";
import { SseGateway, type Authorize } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";

/** `hijack` says that the reply is the gateway's from here on. */
export function serveWithFastify(broker: Broker, authorize: Authorize): FastifyInstance {
  const sse = new SseGateway(broker, { authorize });
  const app = fastify();
  app.all("/events", (request, reply) => {
    reply.hijack();
    sse.handle(request.raw, reply.raw);
  });
  new WebSocketGateway(broker, { server: app.server, path: "/events", authorize });
  // Before the server waits for its connections, as open streams are among them.
  app.addHook("preClose", () => broker.close());
  return app;
}
