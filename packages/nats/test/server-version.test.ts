import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { JetStreamStore } from "../src/index.ts";

/** Greets as a nats-server of this version does, and then says to every request that nobody is there for it. */
async function greeting(version: string): Promise<Server> {
  const server = createServer((socket) => greet(socket, version));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function greet(socket: Socket, version: string): void {
  const info = { server_id: "ID", server_name: "test", version, proto: 1, headers: true, jetstream: true };
  socket.write(`INFO ${JSON.stringify({ ...info, max_payload: 1_048_576 })}\r\n`);
  let text = "";
  const inboxes = new Map<string, string>();
  socket.on("error", () => socket.destroy());
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
    const lines = text.split("\r\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const [verb, subject = "", reply = ""] = line.split(" ");
      if (verb === "PING") socket.write("PONG\r\n");
      else if (verb === "SUB") inboxes.set(subject.replace(/\*$/, ""), reply);
      else if (verb === "PUB") {
        const [, sid] = [...inboxes].find(([prefix]) => reply.startsWith(prefix)) ?? [];
        socket.write(`HMSG ${reply} ${sid} 16 16\r\nNATS/1.0 503\r\n\r\n\r\n`);
      }
    }
  });
}

describe("opening a JetStream store at a server that says it is", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });
  const open = async (version: string): Promise<unknown> => {
    const server = await greeting(version);
    servers.push(server);
    const { port } = server.address() as AddressInfo;
    return JetStreamStore.open({ servers: `nats://127.0.0.1:${port}` }).catch((error: unknown) => error);
  };

  it.each(["2.8.4", "2.1.0", "1.4.1"])("%s refuses it by its version", async (version) => {
    expect(await open(version)).toMatchObject({
      code: "unsupported",
      message: `Expected nats-server 2.9 or later, got ${version}: upgrade it`,
    });
  });

  it.each(["2.9.0", "2.10.29", "2.11.0-preview.2", "2.15.2", "3.0.0"])(
    "%s goes on to ask for JetStream",
    async (version) => {
      expect(await open(version)).toMatchObject({
        code: "unsupported",
        message: expect.stringContaining("with JetStream") as string,
      });
    },
  );
});
