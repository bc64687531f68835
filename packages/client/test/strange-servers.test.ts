import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { connect, type ClientState } from "@starcast/client";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer, type WebSocket } from "ws";
import { Follower } from "./follower.ts";
import { House } from "./house.ts";
import { realSurroundings } from "../src/surroundings.ts";
import { hurried } from "./page/hurried.ts";

const timestamp = "2026-01-01T00:00:00.000Z";
const greeting = (heartbeatMs = 60_000): string =>
  frame("client.connected", { clientId: "c", position: "k-1", resumed: false, heartbeatMs });
const frame = (type: string, data: unknown): string => JSON.stringify({ type, timestamp, data });
const event = (offset: number): string =>
  JSON.stringify({ id: `k-${offset}`, type: "number.drawn", timestamp, data: { n: offset } });

/** A server that is no gateway, on a free port; returns its URL. */
async function serve(answer: RequestListener, onSocket?: (socket: WebSocket) => void): Promise<string> {
  const server: Server = createServer(answer);
  if (onSocket !== undefined)
    new WebSocketServer({ server, handleProtocols: () => "starcast.v1" }).on("connection", onSocket);
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => void server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
}

const stream =
  (...texts: readonly string[]): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const text of texts) response.write(`data: ${text}\n\n`);
  };
const nothing: RequestListener = (_request, response) => void response.writeHead(404).end();

const untilWaiting = async (follower: Follower): Promise<ClientState> => {
  await follower.until(() => follower.states.some(({ kind }) => kind === "waiting"));
  return follower.states.find(({ kind }) => kind === "waiting") as ClientState;
};

describe("a client of a server that", () => {
  it("greets and falls silent leaves it after 2.5 heartbeats", async () => {
    const url = await serve(nothing, (socket) => socket.send(greeting(40)));
    const follower = new Follower({ url, transport: "websocket" });
    expect(await untilWaiting(follower)).toMatchObject({ reason: "silent" });
    expect(follower.states.map(({ kind }) => kind)).toEqual(["connecting", "live", "waiting"]);
  });

  it("falls silent is left in time by a device whose clock is set back an hour", async () => {
    const url = await serve(nothing, (socket) => socket.send(greeting(40)));
    let now = (): number => Date.now();
    const surroundings = { ...realSurroundings, clock: { now: () => now() } };
    const follower = new Follower({ url, transport: "websocket", runtime: { surroundings } });
    await follower.until(() => follower.states.some(({ kind }) => kind === "live"));
    now = () => Date.now() - 3_600_000;
    expect(await untilWaiting(follower)).toMatchObject({ reason: "silent" });
  });

  it("opens a WebSocket and never greets tries SSE", async () => {
    const url = await serve(stream(greeting()), () => undefined);
    // Both tries have a whole second to be greeted, where a busy machine may need a tenth for the answer alone.
    const surroundings = { ...hurried(10, true), clock: { now: () => Date.now() * 10 } };
    const follower = new Follower({ url, runtime: { surroundings } });
    await follower.until(() => follower.states.some(({ kind }) => kind === "live"));
    expect(follower.states).toMatchObject([
      { kind: "connecting", reason: "started", transport: "websocket" },
      { kind: "connecting", reason: "unreachable", transport: "sse" },
      { kind: "live", transport: "sse" },
    ]);
  });

  it.each(["websocket", "sse"] as const)("sends what is no frame leaves it, over %s", async (transport) => {
    const url = await serve(stream(greeting(), "{}"), (socket) => {
      socket.send(greeting());
      socket.send("{}");
    });
    const follower = new Follower({ url, transport });
    expect(await untilWaiting(follower)).toMatchObject({ reason: "protocol_error" });
    expect(follower.warnings).toEqual(["not a frame"]);
  });

  it("sends a line of more than 1 MiB leaves it", async () => {
    const url = await serve(stream(greeting(), event(2), "x".repeat(1_048_577)));
    const follower = new Follower({ url, transport: "sse" });
    expect(await untilWaiting(follower)).toMatchObject({ reason: "protocol_error" });
    expect(follower.warnings).toEqual(["a line is over 1 MiB"]);
    expect(follower.client.position).toBe("k-2");
  });

  it("says when to come back does", async () => {
    const closing = frame("client.closing", { reason: "restart", reconnectInMs: 7_000 });
    const url = await serve(stream(greeting(), closing), (socket) => {
      for (const text of [greeting(), closing]) socket.send(text);
      socket.close(1012);
    });
    const follower = new Follower({ url, transport: "websocket" });
    expect(await untilWaiting(follower)).toEqual({ kind: "waiting", reason: "restart", retryInMs: 7_000 });
  });

  it("loses its store and finds it again is live without news meanwhile", async () => {
    const url = await serve(nothing, (socket) => {
      socket.send(greeting());
      socket.send(frame("client.heartbeat", { position: "k-1", state: "store_unreachable" }));
      socket.send(frame("client.heartbeat", { position: "k-1", state: "store_unreachable" }));
      socket.send(frame("client.heartbeat", { position: "k-1", state: "of a later version" }));
      socket.send(event(2));
    });
    const follower = new Follower({ url, transport: "websocket" });
    await follower.untilNumber(2);
    expect(follower.states.map(({ reason }) => reason)).toEqual([
      ...["started", "at_head", "store_unreachable", "caught_up"],
    ]);
  });

  it("is too busy comes back after what it says", async () => {
    const url = await serve((_request, response) => {
      response.writeHead(503, { "retry-after": "9", "content-type": "application/json" });
      response.end(JSON.stringify({ code: "overloaded", message: "too many connections" }));
    });
    const follower = new Follower({ url, transport: "sse" });
    expect(await untilWaiting(follower)).toEqual({ kind: "waiting", reason: "try_later", retryInMs: 9_000 });
    expect(follower.warnings).toEqual(["the server answered 503: too many connections"]);
  });

  it("answers with a page stays away for a while", async () => {
    const url = await serve((_request, response) => void response.end("<!doctype html>"));
    const follower = new Follower({ url, transport: "sse" });
    expect(await untilWaiting(follower)).toMatchObject({ reason: "refused" });
    expect(follower.warnings).toEqual(["the server answered 200: no event stream"]);
  });

  it("has nothing more ends", async () => {
    const url = await serve(nothing, (socket) => {
      socket.send(greeting());
      socket.send(event(2));
      socket.close(1000);
    });
    const follower = new Follower({ url, transport: "websocket" });
    const loop = follower.client[Symbol.asyncIterator]();
    expect(await loop.next()).toMatchObject({ value: { id: "k-2" } });
    expect(await loop.next()).toMatchObject({ done: true });
    expect(follower.client.state).toEqual({ kind: "closed", reason: "done", message: null });
  });
});

describe("a client", () => {
  it("that is closed by a listener of its state tries no more", async () => {
    const house = await House.open();
    const follower = new Follower({ url: house.url, runtime: { surroundings: hurried(1_000) } });
    follower.client.on("state", ({ kind }) => void (kind === "waiting" && follower.client.close()));
    await follower.untilState("live");
    const visits = house.visits.length;
    house.cut();
    await follower.untilState("closed");
    await house.draw(1, 3);
    expect(follower.states.map(({ kind }) => kind)).toEqual(["connecting", "live", "waiting", "closed"]);
    expect(house.visits).toHaveLength(visits);
  });

  it("whose signal was aborted before never connects", async () => {
    const house = await House.open();
    const follower = new Follower({ url: house.url, signal: AbortSignal.abort() });
    await follower.untilState("closed");
    expect(house.visits).toEqual([]);
  });

  it("that nobody listens to for gaps warns once, and only then", async () => {
    const url = await serve(
      stream(
        greeting(),
        frame("client.gap", { after: "k-1", through: "k-4", reason: "trimmed" }),
        frame("client.gap", { after: "k-4", through: "k-9", reason: "trimmed" }),
        event(10),
      ),
    );
    const warnings: unknown[] = [];
    const runtime = { warn: (...said: readonly unknown[]) => void warnings.push(said) };
    const client = connect({ url, transport: "sse", runtime });
    onTestFinished(() => client.close());
    await new Promise((resolve) => void client.on("number.drawn", resolve));
    expect(warnings).toEqual([
      ['events are missing: listen with on("gap", ...)', { after: "k-1", through: "k-4", reason: "trimmed" }],
    ]);
    const heard = new Follower({ url, transport: "sse" });
    await heard.until(() => heard.told.length === 3);
    expect(heard.warnings).toEqual([]);
  });
});
