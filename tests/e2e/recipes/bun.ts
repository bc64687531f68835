import { Broker } from "@starcast/core";
import { SseGateway, allowAnyone } from "@starcast/sse";

const broker = new Broker();
const sse = new SseGateway(broker, { authorize: allowAnyone });

interface BunServer {
  requestIP(request: Request): { readonly address: string } | null;
}

// bun run bun.ts
export default {
  port: Number(process.env["PORT"] ?? 8080),
  // By default Bun ends a connection after 10 s without a byte: longer than the heartbeat, which is 15 s.
  idleTimeout: 60,
  fetch: (request: Request, server: BunServer): Promise<Response> =>
    sse.fetch(request, { remoteAddress: server.requestIP(request)?.address }),
};

setInterval(() => void broker.publish("clock.ticked", { at: Date.now() }), 1_000);
