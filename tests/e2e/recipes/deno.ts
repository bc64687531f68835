import { Broker } from "@starcast/core";
import { SseGateway, allowAnyone } from "@starcast/sse";

const broker = new Broker();
const sse = new SseGateway(broker, { authorize: allowAnyone });

interface DenoInfo {
  readonly remoteAddr: { readonly hostname?: string };
}

// deno serve --port 8080 deno.ts
export default {
  fetch: (request: Request, { remoteAddr }: DenoInfo): Promise<Response> =>
    sse.fetch(request, { remoteAddress: remoteAddr.hostname }),
};

setInterval(() => void broker.publish("clock.ticked", { at: Date.now() }), 1_000);
