import { SlowSocket } from "@starcast/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { Client } from "../client.ts";
import { openHouse, publishNumbers, type House } from "../listen.ts";
import { rawUpgrade, readAnswer } from "../raw-upgrade.ts";

/** A house with a client that is served all the while. */
async function besetHouse(): Promise<{ readonly house: House; stillServed(): Promise<void> }> {
  const house = await openHouse({ headersTimeoutMs: 1_000 });
  const healthy = new Client(house.url);
  await healthy.frame("client.connected");
  return {
    house,
    stillServed: async () => {
      const { length } = healthy.events;
      await publishNumbers(house.broker, 1, 3);
      await healthy.eventCount(length + 3);
      const newcomer = new Client(house.url);
      await newcomer.frame("client.connected");
      expect(house.gateway.connectionCount).toBe(2);
    },
  };
}

const upgradeFields =
  "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

async function sayHead(port: number, head: string): Promise<SlowSocket> {
  const socket = await SlowSocket.open({ port });
  onTestFinished(() => socket.close());
  socket.write(head);
  return socket;
}

describe("a hostile handshake", () => {
  it.each([
    ["without Host", { Host: null }, 400],
    ["with an empty Host", { Host: "" }, 400],
    ["with two Hosts in one", { Host: "127.0.0.1, evil.example" }, 400],
    ["of a page whose address looks like ours", { Origin: "http://127.0.0.1.evil.example" }, 403],
    ["of a sandboxed page", { Origin: "null" }, 403],
    ["by a name that was pointed at us", { Host: "evil.example", Origin: "http://evil.example" }, 403],
  ])("%s is refused, and others are served", async (_what, headers, status) => {
    const { house, stillServed } = await besetHouse();
    expect((await readAnswer(await rawUpgrade(house.port, { headers }))).status).toBe(status);
    await stillServed();
  });

  it.each([
    ["of HTTP/1.0, which knows no upgrades", "HTTP/1.0", ""],
    ["with a body, which would be read as frames", "HTTP/1.1", "Content-Length: 6\r\n"],
    ["with a body of chunks", "HTTP/1.1", "Transfer-Encoding: chunked\r\n"],
  ])("%s is refused, and others are served", async (_what, version, field) => {
    const { house, stillServed } = await besetHouse();
    const fields = `Host: 127.0.0.1\r\n${field}${upgradeFields}`;
    const socket = await sayHead(house.port, `GET /events ${version}\r\n${fields}\r\n`);
    expect((await readAnswer(socket)).status).toBe(400);
    await stillServed();
  });

  // Otherwise the answer would be written between the frames, or before the 101 that comes second.
  it.each(["/events", "/else"])(
    "to %s behind a request that is not answered yet is not taken, and others are served",
    async (path) => {
      const { house, stillServed } = await besetHouse();
      house.server.removeAllListeners("request");
      const get = "GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
      const upgrade = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${upgradeFields}\r\n`;
      const socket = await sayHead(house.port, get + upgrade);
      await socket.ended();
      expect(socket.received.toString("latin1")).not.toMatch(/HTTP\/1\.1 (?:101|404)/);
      await stillServed();
    },
  );

  it("with 10,000 header fields is refused, and others are served", async () => {
    const { house, stillServed } = await besetHouse();
    const fields = Array.from({ length: 10_000 }, (_, n) => `x-${n}: y\r\n`).join("");
    const socket = await sayHead(house.port, `GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields}\r\n`);
    await socket.ended();
    // The reset of a connection that was not read to its end may overtake the answer.
    expect(socket.received.toString("latin1")).toMatch(/^(?:HTTP\/1\.1 431 |$)/);
    await stillServed();
  });

  it("whose Host stands behind more fields than Node keeps has none, and is refused", async () => {
    const { house, stillServed } = await besetHouse();
    const fields = "a:\r\n".repeat(2_000);
    const socket = await sayHead(
      house.port,
      `GET /events HTTP/1.1\r\n${upgradeFields}${fields}Host: 127.0.0.1\r\n\r\n`,
    );
    await socket.ended();
    // Newer Nodes refuse so many.
    expect(socket.received.toString("latin1")).toMatch(/^HTTP\/1\.1 4(?:00|31) /);
    await stillServed();
  });

  it("that never ends is ended by the server's own limit, and others are served", async () => {
    const { house, stillServed } = await besetHouse();
    const slow = await Promise.all(
      Array.from({ length: 30 }, () => sayHead(house.port, "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")),
    );
    await stillServed();
    await Promise.all(slow.map((socket) => socket.ended()));
    for (const socket of slow) expect(socket.received.toString("latin1")).toMatch(/^HTTP\/1\.1 408 /);
    expect(house.gateway.connectionCount).toBe(2);
  });

  it("that is reset at every stage leaves nothing behind, and others are served", async () => {
    const { house, stillServed } = await besetHouse();
    const heads = [
      "GET /ev",
      "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n",
      "GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ];
    for (let round = 0; round < 50; round += 1)
      await Promise.all(heads.map(async (head) => (await sayHead(house.port, head)).close()));
    await stillServed();
    expect(house.broker.admission.connections).toBe(2);
  });
});
