import { describe, expect, it, onTestFinished } from "vitest";
import { serveGateway, type Served } from "./served-gateway.ts";

type Ask = RequestInit & { readonly remoteAddress?: string };

function ask(served: Served, query = "", { remoteAddress, ...init }: Ask = {}): Promise<Response> {
  return served.gateway.fetch(new Request(`https://stars.example/events${query}`, init), { remoteAddress });
}

/** Reads a body until it holds this. */
function readerOf(response: Response): (wanted: string) => Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  onTestFinished(async () => reader?.cancel());
  let text = "";
  return async (wanted) => {
    while (!text.includes(wanted)) {
      const part = await reader?.read();
      if (part === undefined || part.done) throw new Error(`Expected ${wanted}, got ${text}`);
      text += part.value;
    }
    return text;
  };
}

describe("the Fetch handler", () => {
  it("answers with a stream that greets, delivers and resumes", async () => {
    const served = await serveGateway();
    const first = await ask(served);
    expect([first.status, Object.fromEntries(first.headers)]).toEqual([
      200,
      {
        "content-type": "text/event-stream",
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
        "x-content-type-options": "nosniff",
        vary: "Origin",
      },
    ]);
    const read = readerOf(first);
    expect(await read("client.connected")).toMatch(/^retry: \d+\nid: \w+-0\nevent: client\.connected\n/);
    const { id } = await served.broker.publish("model.added", { n: 1 });
    await read('"n":1');
    await served.broker.publish("model.added", { n: 2 });
    const readAgain = readerOf(await ask(served, "", { headers: { "Last-Event-ID": id } }));
    const text = await readAgain('"n":2');
    expect(text).toContain('"resumed":true');
    expect(text).not.toContain('"n":1');
  });

  it("queues one piece for a reader that does not read, and the rest stays in the log", async () => {
    const served = await serveGateway();
    const response = await ask(served);
    await served.seen("clientConnected");
    const blob = "x".repeat(50_000);
    for (let n = 0; n < 100; n += 1) await served.broker.publish("model.added", { n, blob });
    const reader = response.body?.getReader();
    onTestFinished(async () => reader?.cancel());
    let text = "";
    let waiting = 0;
    const decoder = new TextDecoder();
    while (!text.includes('{"n":99,')) {
      const { value } = (await reader?.read()) ?? {};
      waiting = Math.max(waiting, value?.length ?? 0);
      text += decoder.decode(value, { stream: true });
    }
    expect(waiting).toBeLessThanOrEqual(65_536);
    const numbers = [...text.matchAll(/"data":\{"n":(\d+),/g)].map(([, n]) => Number(n));
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it("closes a stream that is never read after the limit", async () => {
    const served = await serveGateway({ sse: { heartbeatMs: 1_000 } });
    const response = await ask(served);
    await served.seen("clientConnected");
    await served.broker.publish("model.added", { n: 1 });
    const [lag] = served.gateway.slowest();
    expect([lag?.lagEvents, (lag?.unsentBytes ?? 0) > 100]).toEqual([1, true]);
    served.skip(31_000);
    expect(await served.seen("clientClosed")).toMatchObject({ reason: "too_slow" });
    await expect(response.text()).rejects.toMatchObject({ name: "AbortError" });
  });

  it("leaves nothing behind when the reader cancels or the request is aborted", async () => {
    const served = await serveGateway();
    const cancelled = await ask(served);
    const abort = new AbortController();
    const aborted = await ask(served, "", { signal: abort.signal });
    expect(served.gateway.connectionCount).toBe(2);
    await cancelled.body?.cancel();
    expect(served.gateway.connectionCount).toBe(1);
    abort.abort();
    expect([served.gateway.connectionCount, served.broker.subscriberCount]).toEqual([0, 0]);
    expect(served.broker.admission.connections).toBe(0);
    // A body that failed would be printed by some runtimes, for a client that merely left.
    await aborted.text();
    expect(await served.seen("clientClosed")).toMatchObject({ reason: "client_gone" });
  });

  it("opens nothing for a request that was aborted while it was judged", async () => {
    const abort = new AbortController();
    const authorize = () => {
      abort.abort();
      return { identity: null };
    };
    const served = await serveGateway({ sse: { authorize } });
    expect((await ask(served, "", { signal: abort.signal })).status).toBe(503);
    expect([served.gateway.connectionCount, served.broker.admission.connections]).toEqual([0, 0]);
  });

  it("ends its streams when the broker closes", async () => {
    const served = await serveGateway();
    const response = await ask(served);
    await served.seen("clientConnected");
    const text = response.text();
    await served.broker.close();
    expect(await text).toMatch(/event: client\.closing\ndata: .*"reason":"restart".*\n\n$/);
  });

  it("answers other methods, refusals and other origins as node:http does", async () => {
    const served = await serveGateway({
      sse: {
        authorize: ({ token }) => (token === "good" ? { identity: "ada" } : null),
        allowedOrigins: ["https://app.example"],
      },
    });
    const refused = await ask(served, "", { headers: { Origin: "https://app.example" } });
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([401, "https://app.example"]);
    expect(await refused.json()).toMatchObject({ code: "not_authorized" });
    const returning = await ask(served, "", { headers: { "Last-Event-ID": "a-1" } });
    expect([returning.status, await returning.text()]).toEqual([204, ""]);
    expect((await ask(served, "", { method: "POST", body: "x" })).status).toBe(405);
    expect((await ask(served, "", { method: "OPTIONS" })).status).toBe(204);
    const head = await ask(served, "", { method: "HEAD", headers: { Authorization: "Bearer good" } });
    expect([head.status, head.headers.get("content-type"), head.body]).toEqual([200, "text/event-stream", null]);
    expect((await ask(served, "", { headers: { Origin: "https://evil.example" } })).status).toBe(403);
  });

  it("answers 503 when there is no room for another subscriber, and 500 when the broker is broken", async () => {
    const full = await serveGateway({ broker: { maxSubscribers: 1 } });
    expect((await ask(full)).status).toBe(200);
    const refused = await ask(full);
    expect([refused.status, await refused.json()]).toEqual([503, expect.objectContaining({ code: "overloaded" })]);
    expect(full.broker.admission.connections).toBe(1);
    const broken = await serveGateway();
    broken.broker.attach = () => {
      throw new Error("secret detail");
    };
    const failed = await ask(broken);
    expect([failed.status, await failed.text()]).toEqual([500, expect.not.stringContaining("secret")]);
    expect(await broken.seen("requestFailed")).toMatchObject({ level: "warn", gateway: "sse" });
    expect(broken.broker.admission.connections).toBe(0);
  });

  it("counts clients by the address it is told", async () => {
    const served = await serveGateway({ sse: { connections: { maxPerAddress: 1 } } });
    const first = await ask(served, "", { remoteAddress: "203.0.113.7" });
    expect(first.status).toBe(200);
    expect((await ask(served, "", { remoteAddress: "203.0.113.7" })).status).toBe(429);
    expect((await ask(served, "", { remoteAddress: "203.0.113.8" })).status).toBe(200);
  });
});
