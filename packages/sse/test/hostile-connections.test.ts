import { createServer, type RequestListener } from "node:http";
import { describe, expect, it } from "vitest";
import { PlainEventSource } from "./plain-event-source.ts";
import { RawConversation } from "./raw-conversation.ts";
import { serveGateway, type Served } from "./served-gateway.ts";

/** A gateway with a client that is served all the while. */
async function beset(): Promise<{ readonly served: Served; stillServed(): Promise<void> }> {
  const served = await serveGateway({
    sse: { connections: { maxNewPerSecond: 10_000, maxPerAddress: 10_000 } },
    // Nobody has a second to say the head of a request, rather than Node's minute.
    listen: (gateway) =>
      createServer({ headersTimeout: 1_000, connectionsCheckingInterval: 100 }, gateway.handle as RequestListener),
  });
  const healthy = new PlainEventSource(served.url);
  await healthy.hear("client.connected", 1);
  let heard = 0;
  return {
    served,
    stillServed: async () => {
      await served.broker.publish("model.added", { n: "healthy" });
      await healthy.hear("model.added", (heard += 1));
      await new PlainEventSource(served.url).hear("client.connected", 1);
    },
  };
}

async function answerTo(served: Served, head: string): Promise<string> {
  const conversation = await RawConversation.open(served.port);
  conversation.say(head);
  return conversation.closed();
}

describe("a hostile request", () => {
  it("with 10,000 header fields is refused, and others are served", async () => {
    const { served, stillServed } = await beset();
    const fields = Array.from({ length: 10_000 }, (_, n) => `x-${n}: y\r\n`).join("");
    const answer = await answerTo(served, `GET /events HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`);
    // The reset of a connection that was not read to its end may overtake the answer.
    expect(answer).toMatch(/^(?:HTTP\/1\.1 431 |$)/);
    await stillServed();
  });

  it.each([
    ["without Host", "", 400],
    ["with two Hosts", "Host: evil.example\r\nHost: localhost\r\n", 403],
    ["by a name that was pointed at us", "Host: evil.example\r\n", 403],
    ["of a sandboxed page", "Host: localhost\r\nOrigin: null\r\n", 403],
    ["of a page whose address looks like ours", "Host: localhost\r\nOrigin: http://localhost.evil.example\r\n", 403],
    ["of a page on another port", "Host: localhost:80\r\nOrigin: http://localhost:81\r\n", 403],
  ])("%s is refused, and others are served", async (_what, fields, status) => {
    const { served, stillServed } = await beset();
    const answer = await answerTo(served, `GET /events HTTP/1.1\r\n${fields}Connection: close\r\n\r\n`);
    expect(Number(answer.split(" ")[1])).toBe(status);
    await stillServed();
  });

  it("whose head never ends is ended by the server's own limit, and others are served", async () => {
    const { served, stillServed } = await beset();
    const slow = Array.from({ length: 30 }, () =>
      answerTo(served, "GET /events HTTP/1.1\r\nHost: localhost\r\nX-Slow: "),
    );
    await stillServed();
    for (const answer of await Promise.all(slow)) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(served.gateway.connectionCount).toBe(2);
  });

  it("that is reset at every stage leaves nothing behind, and others are served", async () => {
    const { served, stillServed } = await beset();
    const heads = [
      "GET /ev",
      "GET /events HTTP/1.1\r\nHost: localhost\r\n",
      "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ];
    for (let round = 0; round < 50; round += 1) {
      for (const head of heads) {
        const conversation = await RawConversation.open(served.port);
        conversation.say(head);
        // The last stage is that of a client that was greeted.
        if (head.endsWith("\r\n\r\n")) await conversation.until("client.connected");
        conversation.socket.resetAndDestroy();
      }
    }
    while (served.gateway.connectionCount > 1) await new Promise(setImmediate);
    await stillServed();
    expect(served.broker.admission.connections).toBe(2);
    expect(served.broker.subscriberCount).toBe(2);
  });
});

describe("whoever writes events", () => {
  it.each(["\n", "\r", "\r\n", "\u0000"])("forges none with %j in a type or a subject", async (sign) => {
    const { served, stillServed } = await beset();
    const forged = `${sign}id: forged${sign}event: forged.event${sign}data: {}${sign}${sign}`;
    await expect(served.broker.publish(`model.added${forged}`, {})).rejects.toMatchObject({
      code: "invalid_event_type",
    });
    await expect(served.broker.publish("model.added", {}, { subject: `m1${forged}` })).rejects.toMatchObject({
      code: "invalid_subject",
    });
    await stillServed();
  });

  it("forges none with line breaks in data, and they arrive", async () => {
    const { served, stillServed } = await beset();
    const text = "\n\nid: forged\r\revent: forged.event\r\n\r\ndata: {}\u2028\u0000";
    await served.broker.publish("model.updated", { text });
    const source = new PlainEventSource(`${served.url}?after=earliest`);
    const [event] = await source.hear("model.updated", 1);
    expect(event && JSON.parse(event.data)).toMatchObject({ data: { text } });
    expect(event?.lastEventId).not.toContain("forged");
    await stillServed();
  });
});

// Heartbeats and goodbyes are written from timers, where nobody else would catch it.
it("middleware that throws when it is written to ends its own connection, and no other", async () => {
  const served = await serveGateway({
    sse: { heartbeatMs: 1_000 },
    listen: (gateway) =>
      createServer((req, res) => {
        const { write } = res;
        let writes = 0;
        const throwing = (bytes: Uint8Array): boolean => {
          writes += 1;
          if (writes > 1) throw new Error("no more");
          return (write as (bytes: Uint8Array) => boolean).call(res, bytes);
        };
        if (req.url === "/broken") res.write = throwing as typeof write;
        gateway.handle(req, res);
      }),
  });
  const healthy = new PlainEventSource(served.url);
  await healthy.hear("client.connected", 1);
  const broken = await RawConversation.open(served.port);
  broken.say("GET /broken HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await broken.until("client.connected");
  served.skip(1_000);
  await broken.closed();
  expect((await served.seen("requestFailed")).error).toMatchObject({ message: "no more" });
  await served.broker.publish("model.added", { n: 1 });
  await healthy.hear("model.added", 1);
  expect(served.gateway.connectionCount).toBe(1);
});
