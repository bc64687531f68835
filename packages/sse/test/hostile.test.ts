import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { PlainEventSource } from "./plain-event-source.ts";
import { RawConversation } from "./raw-conversation.ts";
import { serveGateway, type Served } from "./served-gateway.ts";

async function ask(served: Served, head: string): Promise<string> {
  const conversation = await RawConversation.open(served.port);
  conversation.say(head);
  await conversation.until(/\r\n\r\n/);
  return conversation.text;
}

async function expectHealthy(served: Served): Promise<void> {
  const healthy = new PlainEventSource(served.url);
  await healthy.hear("client.connected", 1);
  await served.broker.publish("model.added", { n: "healthy" });
  await healthy.hear("model.added", 1);
}

describe("a hostile Last-Event-ID", () => {
  it.each([
    ["of 9 KB", "x".repeat(9_000), "unknown"],
    ["of another epoch", "otherepoch-5", "epoch"],
    ["of the future", "EPOCH-999999", "unknown"],
    ["that is junk", "'; DROP TABLE events; --", "unknown"],
    ["that is not ASCII", "k\xe9\xff-1", "unknown"],
    ["with a number too large", "EPOCH-99999999999999999999", "unknown"],
    ["with a negative number", "EPOCH--1", "unknown"],
    ["with a leading zero", "EPOCH-01", "unknown"],
    ["with a path", "../../etc/passwd", "unknown"],
  ])("%s gets a gap and a stated place, never a 500 or a silent start", async (_what, id, reason) => {
    const served = await serveGateway();
    await served.broker.publish("model.added", { n: 1 });
    const { epoch } = served.broker.position;
    const conversation = await RawConversation.open(served.port);
    conversation.say(`GET /events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: ${id.replace("EPOCH", epoch)}\r\n\r\n`);
    const text = await conversation.until('"n":1');
    expect(text).toContain("HTTP/1.1 200 OK");
    expect(text).toMatch(/"resumed":false/);
    expect(text).toMatch(new RegExp(`id: ${epoch}-0\\nevent: client\\.gap\\ndata: .*"reason":"${reason}"`));
    await expectHealthy(served);
  });

  it("of 9 KB in the query is no different", async () => {
    const served = await serveGateway();
    const source = new PlainEventSource(`${served.url}?after=${"x".repeat(9_000)}`);
    const [gap] = await source.hear("client.gap", 1);
    expect(gap && JSON.parse(gap.data)).toMatchObject({ data: { after: null, reason: "unknown" } });
    await expectHealthy(served);
  });

  it("that is longer than Node takes is refused before it comes here", async () => {
    const served = await serveGateway();
    const answer = await ask(
      served,
      `GET /events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: ${"x".repeat(20_000)}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    await expectHealthy(served);
  });
});

describe("a Host that is not ours", () => {
  it.each(["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "192.168.1.1"])(
    "%s, pointed at loopback by somebody's DNS, gets 403 that names the option",
    async (host) => {
      const served = await serveGateway();
      const answer = await ask(served, `GET /events HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(answer).toContain("allowedHosts");
      expect(await served.seen("clientRefused")).toMatchObject({ status: 403, code: "host_refused" });
      await expectHealthy(served);
    },
  );

  it.each(["localhost", "localhost:8080", "127.0.0.1", "[::1]:3000", "app.localhost"])(
    "%s is loopback's own",
    async (host) => {
      const served = await serveGateway();
      expect(await ask(served, `GET /events HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
    },
  );
});

describe("a page of another origin", () => {
  it.each([
    "https://evil.example",
    "null",
    "http://127.0.0.1.evil.example",
    "https://app.example.evil",
    "https://app.example:8443",
  ])("%s is refused, and the answer names the option", async (origin) => {
    const served = await serveGateway({ sse: { allowedOrigins: ["https://app.example"] } });
    const response = await fetch(served.url, { headers: { Origin: origin } });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("allowedOrigins");
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("vary")).toBe("Origin");
    await expectHealthy(served);
  });

  it("that is allowed reads the stream with its cookies", async () => {
    const served = await serveGateway({ sse: { allowedOrigins: ["https://app.example"] } });
    const response = await fetch(served.url, { headers: { Origin: "https://app.example", Cookie: "session=1" } });
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-credentials": "true",
      vary: "Origin",
    });
    await response.body?.cancel();
  });
});

describe("a method", () => {
  const origin = { Origin: "https://app.example" };

  it("HEAD gets the head of a stream, and takes no place", async () => {
    const served = await serveGateway();
    const response = await fetch(served.url, { method: "HEAD" });
    expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([
      200,
      "text/event-stream",
      "",
    ]);
    expect(served.broker.subscriberCount).toBe(0);
  });

  it("HEAD is judged as GET is", async () => {
    const served = await serveGateway({ sse: { authorize: () => null } });
    expect((await fetch(served.url, { method: "HEAD" })).status).toBe(401);
  });

  it("OPTIONS tells what there is, and an allowed origin what it may send", async () => {
    const served = await serveGateway({ sse: { allowedOrigins: ["https://app.example"] } });
    const plain = await fetch(served.url, { method: "OPTIONS" });
    expect([plain.status, plain.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    const preflight = { "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization" };
    const allowed = await fetch(served.url, { method: "OPTIONS", headers: { ...origin, ...preflight } });
    expect(Object.fromEntries(allowed.headers)).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-methods": "GET, HEAD",
      "access-control-allow-headers": "authorization",
    });
    const refused = await fetch(served.url, {
      method: "OPTIONS",
      headers: { Origin: "https://evil.example", ...preflight },
    });
    expect(refused.headers.get("access-control-allow-methods")).toBeNull();
  });

  it.each(["POST", "PUT", "DELETE", "PATCH"])("%s gets 405 and what is allowed", async (method) => {
    const served = await serveGateway();
    const response = await fetch(served.url, { method, body: "x".repeat(100_000) });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
    expect(served.broker.subscriberCount).toBe(0);
    await expectHealthy(served);
  });
});

describe("a query", () => {
  it.each(["types=model", "types=a.b%0d%0ac", `types=${"a.b,".repeat(100)}`, "subjects=a*b*"])(
    "?%s that is no filter gets 400 and why",
    async (query) => {
      const served = await serveGateway();
      const response = await fetch(`${served.url}?${query}`);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: "invalid_filter" });
      await expectHealthy(served);
    },
  );
});

describe("an authorize that misbehaves", () => {
  it.each<[string, () => never | Promise<never>, number]>([
    [
      "throws",
      () => {
        throw new Error("boom");
      },
      500,
    ],
    ["rejects", () => Promise.reject(new Error("boom")), 500],
    ["never answers", () => new Promise<never>(() => undefined), 503],
  ])("%s: nobody comes in, and nothing is told of why", async (_what, authorize, status) => {
    const served = await serveGateway({ sse: { authorize, authorizeTimeoutMs: 20 } });
    const response = await fetch(served.url);
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain("boom");
    expect(served.broker.admission.connections).toBe(0);
  });

  it("answers after the client has gone: nothing is left of it", async () => {
    let answer: (grant: { identity: null }) => void = () => undefined;
    let isAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const authorize = () =>
      new Promise<{ identity: null }>((resolve) => {
        answer = resolve;
        isAsked();
      });
    const served = await serveGateway({ sse: { authorize } });
    const conversation = await RawConversation.open(served.port);
    conversation.say("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await asked;
    conversation.socket.destroy();
    const openConnections = (): Promise<number> =>
      new Promise((resolve) => served.server.getConnections((_error, count) => setImmediate(resolve, count)));
    while ((await openConnections()) > 0);
    answer({ identity: null });
    await new Promise(setImmediate);
    expect([
      served.broker.subscriberCount,
      served.gateway.connectionCount,
      served.broker.admission.connections,
    ]).toEqual([0, 0, 0]);
  });
});

it("a response that somebody broke harms nobody: the request ends, and nothing is left of it", async () => {
  const breaks = (gateway: Served["gateway"]) =>
    createServer((req, res) => {
      if (req.url === "/broken") {
        res.writeHead = () => {
          throw new Error("broken by a middleware");
        };
      }
      gateway.handle(req, res);
    });
  const served = await serveGateway({ listen: breaks });
  const conversation = await RawConversation.open(served.port);
  conversation.say("GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect(await conversation.closed()).toBe("");
  expect(await served.seen("requestFailed")).toMatchObject({ level: "warn", gateway: "sse" });
  expect(served.broker.subscriberCount).toBe(0);
  expect(served.broker.admission.connections).toBe(0);
  await expectHealthy(served);
});

it("caps answer 429 and 503, with when to try again", async () => {
  const served = await serveGateway({
    sse: { authorize: () => ({ identity: "ada" }), connections: { maxPerIdentity: 2, maxConnections: 3 } },
  });
  const sources = [new PlainEventSource(served.url), new PlainEventSource(served.url)];
  for (const source of sources) await source.hear("client.connected", 1);
  const third = await fetch(served.url);
  expect([third.status, third.headers.get("retry-after") !== null]).toEqual([429, true]);
  sources[0]?.close();
  await served.seen("clientClosed");
  const fourth = await fetch(served.url);
  expect(fourth.status).toBe(200);
  await fourth.body?.cancel();
});
