import { createServer, type RequestListener } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Readable, pipeline } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { SseGateway, allowAnyone } from "@starcast/sse";
import { describeSubscriber, type Arrival, type Receiver, type SubscriberContract } from "@starcast/testing";
import { PlainEventSource, type Heard } from "./plain-event-source.ts";

const capabilities = { resumes: true, filters: true, durable: false, canStall: true };

const contract = (listenerOf: (gateway: SseGateway) => RequestListener): SubscriberContract => ({
  ...capabilities,
  async start(broker) {
    const gateway = new SseGateway(broker, { authorize: allowAnyone, retry: { minMs: 1, maxMs: 5 } });
    const server = createServer(listenerOf(gateway)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return {
      async connect({ after, types } = {}) {
        const query = types === undefined ? "" : `?types=${types.join(",")}`;
        const headers = after === undefined ? {} : { "Last-Event-ID": after };
        const source = new PlainEventSource(`http://127.0.0.1:${port}/events${query}`, headers);
        await source.hear("client.connected", 1);
        return receive(source, gateway);
      },
      async close() {
        await gateway.close();
        server.closeAllConnections();
        server.close();
      },
    };
  },
});

describeSubscriber(
  "@starcast/sse on node:http",
  contract((gateway) => gateway.handle),
);
describeSubscriber("@starcast/sse as a Fetch handler", contract(bridge));

/** What Node frameworks with Fetch handlers do: a Request in, the Response's body out, one to the other as fast as it goes. */
function bridge(gateway: SseGateway): RequestListener {
  return (req, res) => {
    const { remoteAddress } = req.socket;
    const request = new Request(`http://${req.headers.host ?? ""}${req.url ?? ""}`, {
      headers: new Headers(req.headers as Record<string, string>),
    });
    const answer = async (): Promise<void> => {
      const response = await gateway.fetch(request, { remoteAddress });
      res.writeHead(response.status, Object.fromEntries(response.headers)).flushHeaders();
      const body = Readable.fromWeb(response.body as ReadableStream);
      // A client that goes cancels the body; both ends then say so in their own way.
      pipeline(body, res, () => undefined);
    };
    answer().catch((error: unknown) => res.destroy(error as Error));
  };
}

function receive(source: PlainEventSource, gateway: SseGateway): Receiver {
  let read = 0;
  return {
    async next() {
      for (;;) {
        await source.until(() => source.heard.length > read);
        const arrival = arrivalOf(source.heard[read]);
        read += 1;
        if (arrival !== null) return arrival;
      }
    },
    async disconnect() {
      const { connectionCount } = gateway;
      source.close();
      while (gateway.connectionCount === connectionCount) await new Promise(setImmediate);
    },
    stall: () => source.stall(),
    unstall: () => source.unstall(),
  };
}

function arrivalOf(heard: Heard | undefined): Arrival | null {
  if (heard === undefined) return null;
  const frame = JSON.parse(heard.data) as { id: string; type: string; subject?: string; data: Record<string, unknown> };
  if (frame.type === "client.gap")
    return { kind: "gap", ...(frame.data as { after: string; through: string; reason: string }) };
  if (frame.type.startsWith("client.")) return null;
  const { id, type, subject, data } = frame;
  return { kind: "event", id, type, subject, data };
}
