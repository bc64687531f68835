import type { RequestListener } from "node:http";
import { getRequestListener } from "@hono/node-server";
import express from "express";
import Fastify, { type FastifyInstance } from "fastify";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { makeKey, sign, WebhookVerifier, type Receiver } from "@starcast/standard-webhooks";
import { listen } from "./listen.ts";

const key = makeKey();
// Bytes that no reader of text gives back as they were, inside JSON whose spacing no serializer gives back.
const body = new TextEncoder().encode('{ "type": "model.added",\t"data": { "name": "Zoë 🚀", "n": 1.0 } }');

/** Each way to mount the receiver in the wild; every one must behave alike. */
const mounts: Readonly<Record<string, (receiver: Receiver) => RequestListener | FastifyInstance>> = {
  "node:http": (receiver) => (request, response) => void receiver.node(request, response),
  "Express, its own route": (receiver) => express().post("/hook", receiver.node),
  "Express, after a parser for other types": (receiver) =>
    express()
      .use(express.json({ type: "x/y" }))
      .post("/hook", receiver.node),
  "Express, express.raw()": (receiver) => express().post("/hook", express.raw({ type: "*/*" }), receiver.node),
  "Express, a parser that keeps rawBody": (receiver) => {
    const keep = (request: object, _response: unknown, rawBody: Buffer): void =>
      void Object.assign(request, { rawBody });
    return express()
      .use(express.json({ verify: keep }))
      .post("/hook", receiver.node);
  },
  "Fastify, a scope of its own": (receiver) => {
    const app = Fastify();
    app.register(async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
      scope.post("/hook", async (request, reply) => {
        reply.hijack();
        await receiver.node(request.raw, reply.raw);
      });
    });
    return app;
  },
  Hono: (receiver) => {
    const app = new Hono().post("/hook", (context) => receiver.fetch(context.req.raw));
    return (request, response) => void getRequestListener(app.fetch)(request, response);
  },
  "a Fetch handler, as a Next.js route exports it": (receiver) => {
    const { fetch: POST } = receiver;
    return (request, response) => void getRequestListener(POST)(request, response);
  },
  "SvelteKit, Astro and Remix, which give a request within an object": (receiver) => {
    const POST = async ({ request }: { readonly request: Request }): Promise<Response> => receiver.fetch(request);
    return (request, response) => void getRequestListener((given) => POST({ request: given }))(request, response);
  },
  "a function that gets headers and body": (receiver) => {
    const call = async (headers: Record<string, string>, body: ArrayBuffer): Promise<Response> =>
      receiver.fetch(new Request("http://hook/", { method: "POST", headers, body }));
    return (request, response) =>
      void getRequestListener(async (given) => call(Object.fromEntries(given.headers), await given.arrayBuffer()))(
        request,
        response,
      );
  },
};

describe.each(Object.entries(mounts))("a receiver in %s", (_name, mount) => {
  it("answers 204 to a signed webhook, once handled", async () => {
    await using endpoint = await start(mount);
    const answer = await endpoint.post(await webhook());
    expect(answer.status).toBe(204);
    // RFC 9110, 8.6: never with a 204.
    expect(answer.headers.get("content-length")).toBeNull();
    expect(endpoint.handled).toMatchObject([
      { id: "evt-1", type: "model.added", data: { name: "Zoë 🚀", n: 1 }, isDuplicate: false },
    ]);
  });

  it("answers 400 with the code to a forged one, and does not run the handler", async () => {
    await using endpoint = await start(mount);
    const answer = await endpoint.post(await webhook({ keys: makeKey() }));
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(await answer.json()).toMatchObject({ error: { code: "no_matching_key" } });
    expect(endpoint.handled).toEqual([]);
    expect(endpoint.errors).toMatchObject([{ code: "no_matching_key" }]);
  });

  it("answers 500 when the handler fails, and takes the same again", async () => {
    await using endpoint = await start(mount, { failures: 1 });
    const one = await webhook();
    const answer = await endpoint.post(one);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("internal detail");
    expect(endpoint.errors).toMatchObject([{ code: "handler_failed", cause: new Error("internal detail") }]);
    expect((await endpoint.post(one)).status).toBe(204);
  });

  it("answers 204 to a retry and marks it, 400 to a replay", async () => {
    await using endpoint = await start(mount);
    const one = await webhook();
    expect((await endpoint.post(one)).status).toBe(204);
    expect((await endpoint.post(await webhook({ ago: 60_000 }))).status).toBe(204);
    expect(await (await endpoint.post(one)).json()).toMatchObject({ error: { code: "replayed" } });
    expect(endpoint.handled.map(({ isDuplicate }) => isDuplicate)).toEqual([false, true]);
  });
});

describe("a body that a parser has already read", () => {
  const parsed: Readonly<Record<string, (receiver: Receiver) => RequestListener | FastifyInstance>> = {
    "express.json()": (receiver) => express().use(express.json()).post("/hook", receiver.node),
    "Fastify's own parser": (receiver) => {
      const app = Fastify();
      app.post("/hook", async (request, reply) => {
        reply.hijack();
        await receiver.node(Object.assign(request.raw, { body: request.body }), reply.raw);
      });
      return app;
    },
    "Hono's c.req.json()": (receiver) => {
      const app = new Hono().post("/hook", async (context) => {
        await context.req.raw.json();
        return receiver.fetch(context.req.raw);
      });
      return (request, response) => void getRequestListener(app.fetch)(request, response);
    },
  };

  it.each(Object.entries(parsed))(
    "is answered 500 with the fix, for the sender to come again: %s",
    async (_name, mount) => {
      await using endpoint = await start(mount);
      const answer = await endpoint.post(await webhook());
      expect(answer.status).toBe(500);
      const { error } = (await answer.json()) as { error: { code: string; message: string } };
      expect(error.code).toBe("body_already_parsed");
      for (const fix of ["express.raw", "addContentTypeParser", "c.req.raw", "bodyParser: false"]) {
        expect(error.message).toContain(fix);
      }
      expect(endpoint.errors).toMatchObject([{ code: "body_already_parsed" }]);
    },
  );

  it("is verified from the framework's own request where that holds the bytes", async () => {
    const app = Fastify();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, bytes, done) => done(null, bytes));
    const verifier = new WebhookVerifier({ keys: key });
    app.post("/hook", async (request) => (await verifier.verify(request)).type);
    await using server = await listen(app);
    const answer = await fetch(`${server.url}/hook`, {
      method: "POST",
      headers: { ...(await webhook()), "content-type": "application/json" },
      body,
    });
    expect(await answer.text()).toBe("model.added");
  });
});

describe("a request that something else has answered meanwhile", () => {
  it("is left to it", async () => {
    await using endpoint = await start((receiver) => async (request, response) => {
      response.writeHead(503).end();
      await receiver.node(request, response);
    });
    expect((await endpoint.post(await webhook())).status).toBe(503);
  });
});

describe("a request that is no post", () => {
  it.each(["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])("is answered 405: %s", async (method) => {
    await using endpoint = await start((receiver) => (request, response) => void receiver.node(request, response));
    const answer = await fetch(endpoint.url, { method });
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST"]);
    const fetched = await endpoint.receiver.fetch(new Request(endpoint.url, { method }));
    expect([fetched.status, fetched.headers.get("allow")]).toEqual([405, "POST"]);
  });
});

interface Handled {
  readonly id: string;
  readonly isDuplicate: boolean;
}

async function start(mount: (receiver: Receiver) => RequestListener | FastifyInstance, { failures = 0 } = {}) {
  const handled: Handled[] = [];
  const errors: unknown[] = [];
  let left = failures;
  const verifier = new WebhookVerifier({ keys: key, onError: (error) => void errors.push(error) });
  const receiver = verifier.receive(async (event) => {
    if (left-- > 0) throw new Error("internal detail");
    handled.push(event);
  });
  const server = await listen(mount(receiver));
  const url = `${server.url}/hook`;
  return {
    url,
    receiver,
    handled,
    errors,
    post: async (headers: Readonly<Record<string, string>>) =>
      fetch(url, { method: "POST", headers: { ...headers, "content-type": "application/json" }, body }),
    [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose](),
  };
}

async function webhook({ keys = key, ago = 0 } = {}) {
  return sign({ id: "evt-1", timestamp: Date.now() - ago, body, keys });
}
