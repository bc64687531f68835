import { SlowSocket } from "@starcast/testing";
import { describe, expect, it } from "vitest";
import { Client } from "../client.ts";
import { openHouse, publishNumbers } from "../listen.ts";
import { rawUpgrade, readAnswer, readHead } from "../raw-upgrade.ts";

describe("a page of another origin", () => {
  it.each([
    ["a longer name", (host: string) => `http://${host}.evil.example`],
    ["a name before ours", (host: string) => `http://evil.example.${host}`],
    ["our name as a user", (host: string) => `http://${host}@evil.example`],
    ["our name as a path", (host: string) => `http://evil.example/${host}`],
    [
      "a neighbouring port",
      (host: string) => `http://${host.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10))}`,
    ],
    ["no port", () => "http://127.0.0.1"],
    ["null, as sandboxed pages have", () => "null"],
    ["a backslash", (host: string) => `http://evil.example\\@${host}`],
    ["two origins", (host: string) => `http://${host}, http://evil.example`],
  ])("with %s is refused", async (_what, originOf) => {
    const { port } = await openHouse();
    const answer = await readAnswer(await rawUpgrade(port, { headers: { Origin: originOf(`127.0.0.1:${port}`) } }));
    expect(answer).toMatchObject({ status: 403, body: { code: "origin_refused" } });
  });

  it("is refused with cookies but no Origin, and let in with neither", async () => {
    const { port } = await openHouse();
    expect((await readAnswer(await rawUpgrade(port, { headers: { Cookie: "session=1" } }))).status).toBe(403);
    expect(await readHead(await rawUpgrade(port))).toContain("101");
  });

  it.each(["localhost", "127.0.0.1", "[::1]", "app.localhost"])(
    "is no other when it and the Host are %s",
    async (name) => {
      const { port } = await openHouse();
      const headers = { Host: `${name}:${port}`, Origin: `http://${name}:${port}` };
      expect(await readHead(await rawUpgrade(port, { headers }))).toContain("101");
    },
  );

  it.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1@evil",
    "2130706433",
    "0.0.0.0",
  ])("cannot reach a loopback server through the name %s (DNS rebinding)", async (name) => {
    const { port } = await openHouse();
    const { status } = await readAnswer(
      await rawUpgrade(port, { headers: { Host: `${name}:${port}`, Origin: `http://${name}:${port}` } }),
    );
    expect([400, 403]).toContain(status);
  });
});

describe("a server under attack", () => {
  it("outlives 300 connections that are reset at every stage", async () => {
    const house = await openHouse({ gateway: { connections: { maxNewPerSecond: Infinity } } });
    const healthy = new Client(house.url);
    await healthy.frame("client.connected");
    for (let round = 0; round < 100; round += 1) {
      const half = await SlowSocket.open({ port: house.port });
      half.write("GET /events HTTP/1.1\r\nHost: 127");
      const asked = await rawUpgrade(house.port);
      const greeted = await rawUpgrade(house.port);
      await readHead(greeted);
      await Promise.all([half.close(), asked.close(), greeted.close()]);
    }
    await publishNumbers(house.broker, 1, 20);
    await healthy.eventCount(20);
    while (house.broker.admission.connections > 1) await house.time.settle();
    expect(house.gateway.connectionCount).toBe(1);
    expect(house.broker.subscriberCount).toBe(1);
  });

  it("does not let slow handshakes take what connections need", async () => {
    const house = await openHouse({ gateway: { connections: { maxConnections: 3 } } });
    const slow = await Promise.all(Array.from({ length: 50 }, () => SlowSocket.open({ port: house.port })));
    for (const socket of slow) socket.write("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
    expect(house.broker.admission.connections).toBe(0);
    for (let n = 0; n < 3; n += 1) await new Client(house.url).frame("client.connected");
    await Promise.all(slow.map((socket) => socket.close()));
  });

  it("ignores the extensions a client offers: there is no deflate to bomb", async () => {
    const { port } = await openHouse();
    const head = await readHead(
      await rawUpgrade(port, {
        headers: { "Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits=15" },
      }),
    );
    expect(head).not.toContain("Extensions");
  });

  it("refuses resume points and filters that are only long", async () => {
    const { port } = await openHouse();
    const types = Array.from({ length: 65 }, (_, n) => `a.b${n}`).join(",");
    expect((await readAnswer(await rawUpgrade(port, { target: `/events?types=${types}` }))).status).toBe(400);
    const long = await rawUpgrade(port, { target: `/events?after=${"9".repeat(9_000)}` });
    await long.readUntil((received) => received.includes(`"reason":"unknown"`));
  });
});
