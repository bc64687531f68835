import compression from "compression";
import express, { type Request, type Response } from "express";
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import {
  connect as connectHttp2,
  createSecureServer,
  type ClientHttp2Session,
  type ClientHttp2Stream,
} from "node:http2";
import { createServer as createTlsServer, get as getTls } from "node:https";
import type { Readable } from "node:stream";
import { createGunzip, createGzip } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeWith } from "../../../tests/services.ts";
import { makeCertificate } from "./certificate.ts";
import { RawConversation } from "./raw-conversation.ts";
import { serveGateway, type Served } from "./served-gateway.ts";

const request = (path: string, fields = ""): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`;

/** Reads a body until it holds this. */
async function readUntil(body: Readable, wanted: string): Promise<string> {
  onTestFinished(() => void body.destroy());
  body.setEncoding("utf8");
  let text = "";
  for await (const part of body) {
    text += String(part);
    if (text.includes(wanted)) return text;
  }
  throw new Error(`Expected ${wanted}, got ${text}`);
}

/** What a client sees that gets three events, the last of them large: ids in order, and every byte of the data. */
async function expectEvents(served: Served, body: Readable): Promise<void> {
  const large = "é".repeat(50_000);
  const reading = readUntil(body, `${large}"}}\n\n`);
  await served.seen("clientConnected");
  await served.broker.publish("model.added", { n: 1 });
  await served.broker.publish("model.added", { n: 2 });
  await served.broker.publish("model.added", { large });
  const text = await reading;
  expect([...text.matchAll(/^id: \w+-(\d+)$/gm)].map(([, offset]) => offset)).toEqual(["0", "1", "2", "3"]);
  expect(text).not.toMatch(/^[0-9a-f]+\r$/m);
}

async function openNode(served: Served, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const [response] = (await once(get(served.url, { headers, agent: false }), "response")) as [IncomingMessage];
  return response;
}

describe("requests pipelined on one connection", () => {
  it("get their streams one after the other: nothing of the second before the end of the first", async () => {
    const served = await serveGateway({ sse: { heartbeatMs: 1_000 } });
    const { socket, ...conversation } = await RawConversation.open(served.port).then((each) => ({
      socket: each.socket,
      say: each.say.bind(each),
      until: each.until.bind(each),
    }));
    conversation.say(request("/events?types=a.*") + request("/events?types=b.*"));
    await conversation.until("client.connected");
    await served.broker.publish("b.event", { n: "for the second" });
    await served.broker.publish("a.event", { n: "for the first" });
    expect(await conversation.until("for the first")).not.toContain("for the second");
    expect(served.gateway.connectionCount).toBe(2);
    // At its age each stream ends; the second gets the connection then, with all it should have.
    served.skip(20 * 60_000);
    const text = await conversation.until("for the second");
    const [first = "", second = ""] = text.split("HTTP/1.1 200 OK").slice(1);
    expect(first).toMatch(/client\.closing[^]*\r\n0\r\n\r\n$/);
    expect(second).toContain("client.connected");
    expect(second).not.toContain("for the first");
    socket.destroy();
  });

  it("are all over when the connection is", async () => {
    const served = await serveGateway();
    const conversation = await RawConversation.open(served.port);
    conversation.say(request("/events") + request("/events") + request("/events"));
    await conversation.until("client.connected");
    while (served.gateway.connectionCount < 3) await new Promise(setImmediate);
    conversation.socket.destroy();
    while (served.gateway.connectionCount > 0) await new Promise(setImmediate);
    expect(served.broker.subscriberCount).toBe(0);
  });
});

describe("a keep-alive connection", () => {
  it("carries the next request after a stream has ended", async () => {
    const served = await serveGateway({ sse: { heartbeatMs: 1_000 } });
    const conversation = await RawConversation.open(served.port);
    conversation.say(request("/events"));
    await conversation.until("client.connected");
    served.skip(20 * 60_000);
    await conversation.until("\r\n0\r\n\r\n");
    conversation.say(request("/events?after=earliest"));
    await conversation.until(/0\r\n\r\nHTTP\/1\.1 200 OK[^]*client\.connected/);
    expect(served.gateway.connectionCount).toBe(1);
  });
});

describe("HTTP/1.0", () => {
  it("gets its stream without chunks, until the connection ends", async () => {
    const served = await serveGateway();
    const conversation = await RawConversation.open(served.port);
    conversation.say("GET /events HTTP/1.0\r\nHost: localhost\r\n\r\n");
    await conversation.until("client.connected");
    await served.broker.publish("model.added", { n: 1 });
    const text = await conversation.until('"n":1');
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(text.slice(text.indexOf("\r\n\r\n") + 4)).toMatch(/^retry: \d+\nid: \w+-0\nevent: client\.connected\n/);
  });
});

describe("Express", () => {
  it("mounts the handler as it is", async () => {
    const served = await serveGateway({ listen: (gateway) => createServer(express().get("/events", gateway.handle)) });
    const response = await openNode(served);
    expect(response.headers["content-type"]).toBe("text/event-stream");
    await expectEvents(served, response);
  });

  it("gets the whole stream through compression, which the head tells to stay away", async () => {
    const app = (gateway: Served["gateway"]) =>
      createServer(
        express()
          .use(compression({ threshold: 0 }))
          .get("/events", gateway.handle),
      );
    const served = await serveGateway({ listen: app });
    const response = await openNode(served, { "Accept-Encoding": "gzip" });
    expect(response.headers["content-encoding"]).toBeUndefined();
    await expectEvents(served, response);
  });

  it("gets each event at once through compression that cannot be told to stay away", async () => {
    const insists = (_req: Request, res: Response, next: () => void): void => {
      const { writeHead } = res;
      res.writeHead = ((status: number, headers: Record<string, string>) =>
        writeHead.call(res, status, { ...headers, "Cache-Control": "no-store" })) as typeof writeHead;
      next();
    };
    const gzips = (_req: IncomingMessage, res: ServerResponse, next: () => void): void => gzipResponse(res, next);
    const served = await serveGateway({
      listen: (gateway) => createServer(express().use(insists, gzips).get("/events", gateway.handle)),
    });
    const response = await openNode(served, { "Accept-Encoding": "gzip" });
    expect(response.headers["content-encoding"]).toBe("gzip");
    await expectEvents(served, response.pipe(createGunzip()));
  });
});

/** Middleware of the old school: puts a gzip stream in place of the response's own methods, with a `flush`. */
function gzipResponse(res: ServerResponse, next: () => void): void {
  const gzip = createGzip();
  const write = res.write.bind(res) as (bytes: Uint8Array) => boolean;
  const end = res.end.bind(res);
  res.setHeader("Content-Encoding", "gzip");
  gzip.on("data", (bytes: Uint8Array) => write(bytes)).on("end", () => end());
  Object.assign(res, {
    write: (bytes: Uint8Array) => gzip.write(bytes),
    end: () => gzip.end(),
    flush: () => gzip.flush(),
  });
  next();
}

describeWith("openssl", "an encrypted connection", (openssl) => {
  it("gets its stream over TLS, written to the socket", async () => {
    const pair = makeCertificate(openssl);
    const served = await serveGateway({
      listen: (gateway) => createTlsServer(pair, gateway.handle as RequestListener),
    });
    const asked = getTls({ port: served.port, host: "127.0.0.1", path: "/events", ca: pair.cert, agent: false });
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    await expectEvents(served, response);
  });

  it("gets its streams over HTTP/2, several on one connection", async () => {
    const pair = makeCertificate(openssl);
    const served = await serveGateway({ listen: (gateway) => createSecureServer(pair, gateway.handle as never) });
    const session = connectHttp2(`https://127.0.0.1:${served.port}`, { ca: pair.cert });
    onTestFinished(() => session.destroy());
    const [first, second] = [await openHttp2(session), await openHttp2(session)];
    expect(first.headers).toMatchObject({ ":status": 200, "content-type": "text/event-stream" });
    const reading = readUntil(second.stream, '"n":2');
    await expectEvents(served, first.stream);
    expect(await reading).toContain('"n":1');
    first.stream.close();
    second.stream.close();
    while (served.gateway.connectionCount > 0) await new Promise(setImmediate);
    expect(served.broker.subscriberCount).toBe(0);
  });

  it("keeps the place of an HTTP/2 client that does not read, and of it alone", async () => {
    const pair = makeCertificate(openssl);
    const served = await serveGateway({ listen: (gateway) => createSecureServer(pair, gateway.handle as never) });
    const session = connectHttp2(`https://127.0.0.1:${served.port}`, { ca: pair.cert });
    onTestFinished(() => session.destroy());
    const [stalled, reading] = [await openHttp2(session), await openHttp2(session)];
    const blob = "x".repeat(20_000);
    const healthy = readUntil(reading.stream, '{"n":99,');
    while (served.broker.subscriberCount < 2) await new Promise(setImmediate);
    for (let n = 0; n < 100; n += 1) await served.broker.publish("model.added", { n, blob });
    await healthy;
    const text = await readUntil(stalled.stream, '{"n":99,');
    const numbers = [...text.matchAll(/"data":\{"n":(\d+),/g)].map(([, n]) => Number(n));
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it("tells HTTP/2 clients who may not come in", async () => {
    const pair = makeCertificate(openssl);
    const served = await serveGateway({
      sse: { authorize: () => null },
      listen: (gateway) => createSecureServer(pair, gateway.handle as never),
    });
    const session = connectHttp2(`https://127.0.0.1:${served.port}`, { ca: pair.cert });
    onTestFinished(() => session.destroy());
    const { headers, stream } = await openHttp2(session);
    expect(headers[":status"]).toBe(401);
    expect(await readUntil(stream, "}")).toContain("not_authorized");
  });
});

async function openHttp2(
  session: ClientHttp2Session,
): Promise<{ readonly headers: Record<string, unknown>; readonly stream: ClientHttp2Stream }> {
  const stream = session.request({ ":path": "/events" });
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  return { headers, stream };
}
