import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { NatsServer } from "../../../tests/nats-server.ts";
import { describeWith } from "../../../tests/services.ts";
import { NatsLink } from "../src/nats-link.ts";
import { resolveJetStreamOptions } from "../src/options.ts";

const greeting = `INFO ${JSON.stringify({ server_id: "x", version: "2.9.10", max_payload: 1_048_576, headers: true })}\r\n`;

describeWith("nats-server", "coming back to NATS", (program) => {
  let server: NatsServer;
  let relay: Server;
  const sockets = new Set<Socket>();
  /** What is done with the next connection; those after it reach the server. */
  let next: ((socket: Socket) => void) | null = null;
  let connections = 0;
  beforeEach(async () => {
    server = await NatsServer.start(program);
    const { hostname, port } = new URL(server.url);
    relay = createServer((socket) => {
      connections += 1;
      sockets.add(socket.on("error", () => undefined));
      const run = next;
      next = null;
      if (run !== null) return run(socket);
      const upstream = connect(Number(port), hostname).on("error", () => socket.destroy());
      socket.pipe(upstream).pipe(socket);
    }).listen(0, "127.0.0.1");
    await once(relay, "listening");
  });
  afterEach(async () => {
    relay.close();
    for (const socket of sockets) socket.destroy();
    await server.close();
  });

  it.each([
    ["goes while it greets", 1, (socket: Socket) => void socket.end(greeting)],
    ["goes before it greets", 1, (socket: Socket) => void socket.end()],
    ["greets, and then says nothing", 5, (socket: Socket) => void socket.write(greeting)],
    ["says nothing at all", 5, () => undefined],
  ])("takes no longer where a server %s", async (_, seconds, run) => {
    const link = await NatsLink.open(
      resolveJetStreamOptions({ servers: `nats://127.0.0.1:${(relay.address() as AddressInfo).port}` }),
    );
    const before = connections;
    next = run;
    const startedAt = performance.now();
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => connections - before).toBe(2);
    expect(performance.now() - startedAt).toBeLessThan((seconds + 3) * 1_000);
    await expect.poll(() => link.isAway).toBe(false);
    await link.close();
  });
});
