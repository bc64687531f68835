import { Broker } from "@starcast/core";
import { allowAnyone } from "@starcast/core/gateway";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { WebSocketGateway } from "../src/index.ts";
import { Client } from "./client.ts";
import { openHouse } from "./listen.ts";
import { rawUpgrade, readAnswer, readHead } from "./raw-upgrade.ts";

describe("a server with a gateway on /events", () => {
  it("answers the handshake of RFC 6455, 1.3", async () => {
    const { port } = await openHouse();
    const head = await readHead(await rawUpgrade(port));
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(head).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    expect(head).not.toContain("Sec-WebSocket-Protocol");
  });

  it("leaves a GET without upgrade to its own handler", async () => {
    const { port } = await openHouse();
    expect(await (await fetch(`http://127.0.0.1:${port}/events`)).text()).toBe("plain");
  });

  it("answers 404 to an upgrade that nobody takes", async () => {
    const { port } = await openHouse();
    const { status, body } = await readAnswer(await rawUpgrade(port, { target: "/else" }));
    expect(status).toBe(404);
    expect(body["code"]).toBe("not_found");
  });

  it("leaves upgrades of other paths to other listeners", async () => {
    const { server, port } = await openHouse();
    const foreign = new WebSocketServer({ noServer: true });
    server.on("upgrade", (req, socket, head) => {
      if (req.url === "/else") foreign.handleUpgrade(req, socket, head, (client) => client.send("foreign"));
    });
    const client = new Client(`ws://127.0.0.1:${port}/events`);
    await client.frame("client.connected");
    const socket = await rawUpgrade(port, { target: "/else" });
    await socket.readUntil((bytes) => bytes.includes("foreign"));
  });

  it("may have a second gateway on another path, but not on the same", async () => {
    const { server, broker, port } = await openHouse();
    const options = { server, authorize: allowAnyone, name: "second" };
    expect(() => new WebSocketGateway(broker, { ...options, path: "/events" })).toThrow(
      /no other gateway of this server/,
    );
    new WebSocketGateway(broker, { ...options, path: "/more" });
    await new Client(`ws://127.0.0.1:${port}/more`).frame("client.connected");
    await new Client(`ws://127.0.0.1:${port}/events`).frame("client.connected");
  });

  it("takes an upgrade that was passed to the bound handleUpgrade, on any path", async () => {
    const broker = new Broker({ observe: [] });
    const { handleUpgrade } = new WebSocketGateway(broker, { authorize: allowAnyone });
    const server = createServer();
    server.on("upgrade", handleUpgrade);
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    onTestFinished(async () => {
      await broker.close();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    await new Client(`ws://127.0.0.1:${port}/wherever`).frame("client.connected");
  });

  it.each([
    ["without Host", { headers: { Host: null } }, 400, "bad_request"],
    ["with a Host of another name on loopback", { headers: { Host: "evil.example" } }, 403, "host_refused"],
    ["of another origin", { headers: { Origin: "https://evil.example" } }, 403, "origin_refused"],
    ["by POST", { method: "POST" }, 405, "bad_request"],
    ["to another protocol", { headers: { Upgrade: "h2c" } }, 426, "bad_request"],
    ["of another version", { headers: { "Sec-WebSocket-Version": "12" } }, 426, "bad_request"],
    ["without a key", { headers: { "Sec-WebSocket-Key": null } }, 400, "bad_request"],
    ["with a key of 15 bytes", { headers: { "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25j" } }, 400, "bad_request"],
    ["with a malformed filter", { target: "/events?types=a" }, 400, "invalid_filter"],
  ])("refuses an upgrade %s", async (_what, parts, status, code) => {
    const { port, gateway } = await openHouse();
    const answer = await readAnswer(await rawUpgrade(port, parts));
    expect(answer).toMatchObject({ status, body: { code } });
    expect(gateway.connectionCount).toBe(0);
  });

  it("names the option to set when it refuses an origin, to the client and to the observer", async () => {
    const { port, moment } = await openHouse();
    const { body } = await readAnswer(await rawUpgrade(port, { headers: { Origin: "https://app.example" } }));
    expect(body["message"]).toContain("`allowedOrigins`");
    expect((await moment("clientRefused")).message).toContain("https://app.example");
  });

  it.each([
    ["null", () => null, 401, "not_authorized"],
    ["a promise of null", () => Promise.resolve(null), 401, "not_authorized"],
    [
      "a throw",
      () => {
        throw new Error("database is down");
      },
      500,
      "authorize_failed",
    ],
    ["a rejection", () => Promise.reject(new Error("database is down")), 500, "authorize_failed"],
    ["nonsense", () => ({}) as never, 500, "authorize_failed"],
  ])("refuses whom authorize answers with %s, and tells nothing of why", async (_what, authorize, status, code) => {
    const { port, broker } = await openHouse({ gateway: { authorize } });
    const answer = await readAnswer(await rawUpgrade(port));
    expect(answer).toMatchObject({ status, body: { code } });
    expect(JSON.stringify(answer.body)).not.toContain("database");
    expect(broker.admission.connections).toBe(0);
  });

  it("refuses whom authorize takes too long for, with a time to come back", async () => {
    const { port, time, broker } = await openHouse({ gateway: { authorize: () => new Promise(() => undefined) } });
    const socket = await rawUpgrade(port);
    while (broker.admission.connections === 0) await time.settle();
    await time.advance(5_000);
    const { status, head } = await readAnswer(socket);
    expect(status).toBe(503);
    expect(head).toMatch(/retry-after: \d/);
  });

  it("gives a seat back when the client leaves while it is judged", async () => {
    let judge: (grant: { identity: null }) => void = () => undefined;
    const { port, time, broker, moment } = await openHouse({
      gateway: { authorize: () => new Promise((resolve) => void (judge = resolve)) },
    });
    const socket = await rawUpgrade(port);
    while (broker.admission.connections === 0) await time.settle();
    await socket.close();
    judge({ identity: null });
    await Promise.race([moment("clientRefused"), moment("clientClosed")]);
    expect(broker.admission.connections).toBe(0);
    expect(broker.subscriberCount).toBe(0);
  });

  it.each([
    ["in total", { maxConnections: 2 }, () => ({ identity: null }), 503],
    ["of one identity", { maxPerIdentity: 2 }, () => ({ identity: "ann" }), 429],
    ["in a second", { maxNewPerSecond: 2 }, () => ({ identity: null }), 503],
  ])("refuses one connection too many %s", async (_what, connections, authorize, status) => {
    const { port, url } = await openHouse({ gateway: { connections, authorize } });
    for (let n = 0; n < 2; n += 1) await new Client(url).frame("client.connected");
    expect((await readAnswer(await rawUpgrade(port))).status).toBe(status);
  });

  it("counts clients of one address, as its trusted proxy tells it", async () => {
    const { port } = await openHouse({ gateway: { connections: { maxPerAddress: 1 }, trustedProxies: ["127.0.0.1"] } });
    const from = (address: string) => rawUpgrade(port, { headers: { "X-Forwarded-For": address } });
    expect(await readHead(await from("198.51.100.7"))).toContain("101");
    expect(await readHead(await from("198.51.100.8"))).toContain("101");
    // Who forges a further address in front changes nothing.
    expect((await readAnswer(await from("203.0.113.9, 198.51.100.7"))).status).toBe(429);
    expect(await readHead(await from("2001:db8:1:1::1"))).toContain("101");
    expect((await readAnswer(await from("2001:db8:1:1::2"))).status).toBe(429);
  });
});
