import { once } from "node:events";
import { makeKey, sign, WebhookVerifier, type Receiver } from "@starcast/standard-webhooks";
import { describe, expect, it } from "vitest";

const key = makeKey();
const body = '{"type":"model.added","data":{}}';

describe("a receiver that is mounted in the wrong way", () => {
  it.each([undefined, null, {}, { "model.added": () => undefined }])(
    "has no handler, but %j: at once",
    async (handler) => {
      const verifier = new WebhookVerifier({ keys: key });
      expect(() => verifier.receive(handler as never)).toThrow("Expected `handler` to be a function");
      await expect(verifier.handle(await request(), handler as never)).rejects.toMatchObject({
        code: "invalid_option",
      });
    },
  );

  it.each([
    ["Hono's context", (request: Request) => ({ req: { raw: request } })],
    ["Hono's request", (request: Request) => ({ method: "POST", raw: request })],
    ["the argument of SvelteKit, Astro or Remix", (request: Request) => ({ request, params: {} })],
    ["nothing", () => undefined],
  ])("gets %s: answers 500, and tells the process the fix", async (_what, wrap) => {
    const receiver = new WebhookVerifier({ keys: key }).receive(() => undefined);
    const warned = once(process, "warning") as Promise<[Error]>;
    const answer = await receiver.fetch(wrap(await request()) as unknown as Request);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({ error: { code: "invalid_option", message: "The receiver failed" } });
    const [{ message }] = await warned;
    expect(message).toContain("in Hono: c.req.raw, in SvelteKit, Astro and Remix: `request` of the argument");
  });

  it("gets Fastify's reply: rejects with the fix, for Fastify to tell", async () => {
    const receiver = new WebhookVerifier({ keys: key }).receive(() => undefined);
    const [given, reply] = [
      { method: "POST", headers: {}, body: {} },
      { raw: {}, hijack: () => undefined },
    ];
    const outcome = receiver.node(...([given, reply] as unknown as Parameters<Receiver["node"]>));
    await expect(outcome).rejects.toThrow("in Fastify: reply.raw, after reply.hijack()");
  });

  it("gets Fastify's request with bytes of its own, however many: answers", async () => {
    const verifier = new WebhookVerifier({ keys: key, maxBodyBytes: 10 });
    let answered = "";
    const response = { headersSent: false, writeHead: String, write: String, end: (text = "") => (answered = text) };
    const given = { method: "POST", headers: {}, body: Buffer.from(body) };
    await verifier.receive(() => undefined).node(given as unknown as Parameters<Receiver["node"]>[0], response);
    expect(answered).toContain("body_too_large");
  });
});

async function request(): Promise<Request> {
  const headers = await sign({ id: "evt-1", timestamp: Date.now(), body, keys: key });
  return new Request("http://localhost/hook", { method: "POST", headers, body });
}
