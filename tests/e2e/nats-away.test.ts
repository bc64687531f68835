import { once } from "node:events";
import { createServer, get, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Broker } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { parseFrame, type ClientFrame, type EventFrame } from "@starcast/core/wire";
import { JetStreamStore } from "@starcast/nats";
import { SseGateway } from "@starcast/sse";
import { WebSocketGateway } from "@starcast/websocket";
import { expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { NatsServer } from "../nats-server.ts";
import { describeWith } from "../services.ts";

describeWith("nats-server", "clients of a gateway whose NATS goes away", (program) => {
  it("stay connected, are told, also that it is back, and get what was published meanwhile", async () => {
    const nats = await NatsServer.start(program);
    onTestFinished(() => nats.close());
    const { broker, port } = await serve(nats.url);
    const clients = [overWebSocket(port), overSse(port)];
    for (const client of clients) expect((await client.next("client.connected")).data).not.toHaveProperty("state");
    await nats.stop();
    for (const client of clients)
      expect((await client.next("client.heartbeat")).data).toMatchObject({ state: "store_unreachable" });
    const published = broker.publish("test.happened", {});
    await nats.start();
    const { id } = await published;
    for (const client of clients) {
      expect(await client.next("test.happened")).toMatchObject({ id });
      await client.untilWell();
      expect(client.gaps).toBe(0);
    }
  });
});

async function serve(servers: string): Promise<{ readonly broker: Broker; readonly port: number }> {
  const broker = new Broker({ store: await JetStreamStore.open({ servers, publishTimeoutMs: 60_000 }), observe: [] });
  const sse = new SseGateway(broker, { authorize: allowAnyone, heartbeatMs: 1_000 });
  const server = createServer(sse.handle);
  new WebSocketGateway(broker, { server, path: "/events", authorize: allowAnyone });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    await broker.close();
    server.close();
  });
  return { broker, port: (server.address() as AddressInfo).port };
}

/** One connection, never renewed: everything it was told. */
class Told {
  #frames: (ClientFrame | EventFrame)[] = [];
  #state: unknown;
  gaps = 0;
  #look: () => void = () => undefined;

  take(text: string): void {
    const parsed = parseFrame(text);
    if (parsed.kind !== "client" && parsed.kind !== "event") throw new Error(`Expected a frame, got ${text}`);
    this.#frames.push(parsed.frame);
    if (parsed.frame.type === "client.gap") this.gaps += 1;
    if (parsed.frame.type === "client.heartbeat") this.#state = (parsed.frame.data as { state?: string }).state;
    this.#look();
  }

  /** The next frame of this type, got or to come. */
  next(type: string): Promise<ClientFrame | EventFrame> {
    return new Promise((resolve) => {
      this.#look = () => {
        const found = this.#frames.find((frame) => frame.type === type);
        if (found === undefined) return;
        this.#look = () => undefined;
        this.#frames = this.#frames.slice(this.#frames.indexOf(found) + 1);
        resolve(found);
      };
      this.#look();
    });
  }

  untilWell(): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => {
        if (this.#state === undefined) resolve();
      };
      this.#look();
    });
  }
}

function overWebSocket(port: number): Told {
  const told = new Told();
  const socket = new WebSocket(`ws://127.0.0.1:${port}/events`);
  socket.on("message", (data: Buffer) => told.take(data.toString()));
  onTestFinished(() => socket.terminate());
  return told;
}

function overSse(port: number): Told {
  const told = new Told();
  const request = get(`http://127.0.0.1:${port}/events`, (response: IncomingMessage) => {
    let rest = "";
    response.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.startsWith("data: ")) told.take(line.slice(6));
    });
  });
  onTestFinished(() => void request.destroy());
  return told;
}
