import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { Broker } from "@starcast/core";
import { allowAnyone, type Authorize } from "@starcast/sse";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { freePort } from "../free-port.ts";
import { describeWith } from "../services.ts";
import { serveWithExpress } from "./recipes/express.ts";
import { serveWithFastify } from "./recipes/fastify.ts";
import { serveWithHono } from "./recipes/hono.ts";
import { serveWithNest } from "./recipes/nest.ts";
import { GET, HEAD, OPTIONS, broker as brokerOfNext } from "./recipes/next.ts";
import { serveWithNode } from "./recipes/node-http.ts";

const folder = new URL("recipes/", import.meta.url);

describe("docs/recipes.md", () => {
  const guide = readFileSync(new URL("../../docs/recipes.md", import.meta.url), "utf8");

  it.each(readdirSync(folder).filter((name) => name.endsWith(".ts")))("shows %s as it is run here", (name) => {
    expect(guide).toContain(`\`\`\`ts\n${readFileSync(new URL(name, folder), "utf8")}\`\`\``);
  });
});

interface Mounted {
  readonly url: string;
  readonly broker: Broker;
}

/** Mounts both gateways as a recipe says, on a free port; all ends with the test. */
type Mount = (broker: Broker, authorize: Authorize) => Promise<{ readonly server: Server; close(): Promise<unknown> }>;

const servers: readonly [string, Mount][] = [
  ["node:http", (...given) => plain(serveWithNode(...given))],
  ["Express", (...given) => plain(serveWithExpress(...given))],
  ["Hono", (...given) => plain(serveWithHono(...given))],
  [
    "Fastify",
    async (...given) => {
      const app = serveWithFastify(...given);
      await app.ready();
      return { server: app.server, close: () => app.close() };
    },
  ],
  [
    "NestJS",
    async (...given) => {
      const app = await serveWithNest(...given);
      await app.init();
      return { server: app.getHttpServer() as Server, close: () => app.close() };
    },
  ],
];

describe.each(servers)("%s", (_name, mount) => {
  it("serves the stream, which resumes, and answers HEAD, OPTIONS and what is not allowed", async () => {
    const { url, broker } = await mounted(mount, allowAnyone);
    const first = await follow(url);
    await first.until("client.connected");
    const { id } = await broker.publish("model.added", { n: 1 });
    await first.until('"n":1');
    first.leave();
    await broker.publish("model.added", { n: 2 });
    const second = await follow(url, { "Last-Event-ID": id });
    const text = await second.until('"n":2');
    expect(text).toContain('"resumed":true');
    expect(text).not.toContain('"n":1');
    expect((await fetch(url, { method: "HEAD" })).headers.get("content-type")).toBe("text/event-stream");
    expect((await fetch(url, { method: "OPTIONS" })).status).toBe(204);
    expect((await fetch(url, { method: "DELETE" })).status).toBe(405);
    expect((await fetch(url, { headers: { Origin: "https://evil.example" } })).status).toBe(403);
  });

  it("serves WebSocket clients on the same URL, tells them apart by address, and sends all away at the end", async () => {
    const addresses: (string | null)[] = [];
    const { url, broker } = await mounted(mount, ({ address }) => {
      addresses.push(address);
      return { identity: null };
    });
    const socket = new WebSocket(url.replace("http", "ws"));
    onTestFinished(() => socket.terminate());
    const [greeting] = (await once(socket, "message")) as [Buffer];
    expect(JSON.parse(greeting.toString())).toMatchObject({ type: "client.connected" });
    const event = once(socket, "message") as Promise<[Buffer]>;
    await broker.publish("model.added", { n: 1 });
    expect(JSON.parse((await event)[0].toString())).toMatchObject({ type: "model.added", data: { n: 1 } });
    const stream = await follow(url);
    await stream.until("client.connected");
    expect(addresses).toEqual(["127.0.0.1", "127.0.0.1"]);
    const left = once(socket, "close");
    await broker.close();
    expect((await left)[0]).toBe(1012);
    await stream.until("client.closing");
  });
});

describe("a Next.js route", () => {
  it("is three functions of a Fetch request", async () => {
    onTestFinished(() => brokerOfNext.close());
    const request = (method: string): Request => new Request("https://app.example/events", { method });
    expect((await HEAD(request("HEAD"))).status).toBe(200);
    expect((await OPTIONS(request("OPTIONS"))).status).toBe(204);
    const stream = reading(await GET(request("GET")));
    await stream.until("client.connected");
    await brokerOfNext.publish("model.added", { n: 1 });
    await stream.until('"n":1');
    stream.leave();
  });
});

const fromSource = "--conditions=@starcast/source";

describeWith("bun", "Bun", (bun) => {
  it("serves the stream, and lets a client go", async () => {
    const served = await startRuntime(bun, () => [fromSource, file("recipes/bun.ts")]);
    await expectStream(served);
  });

  it("is told that there is no WebSocket gateway for it, before a client can find out", async () => {
    const child = spawn(bun, [fromSource, file("recipes-elsewhere/node-http.ts")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(1);
    expect(said).toContain("serve WebSocket from Node or Deno");
  });
});

describeWith("deno", "Deno", (deno) => {
  const permitted = ["-A", "--no-lock", "--node-modules-dir=manual", fromSource];

  it("serves the stream, and lets a client go", async () => {
    const served = await startRuntime(deno, (port) => [
      ...["serve", ...permitted, "--host", "127.0.0.1", "--port", String(port), file("recipes/deno.ts")],
    ]);
    await expectStream(served);
  });

  it("serves both transports by its node:http", async () => {
    const served = await startRuntime(deno, () => ["run", ...permitted, file("recipes-elsewhere/node-http.ts")]);
    await expectStream(served);
    const socket = new WebSocket(served.url.replace("http", "ws"));
    onTestFinished(() => socket.terminate());
    const types: string[] = [];
    await new Promise<void>((resolve) => {
      socket.on("message", (frame: Buffer) => {
        const { type } = JSON.parse(frame.toString()) as { type: string };
        types.push(type);
        if (type === "client.connected") socket.send(`{"op":"subscribe","types":["clock.*"]}`);
        if (types.includes("client.subscribed") && type === "clock.ticked") resolve();
      });
    });
    expect(types[0]).toBe("client.connected");
    expect(served.said()).not.toMatch(/error/i);
  });
});

interface Runtime {
  readonly url: string;
  readonly said: () => string;
}

async function startRuntime(program: string, args: (port: number) => readonly string[]): Promise<Runtime> {
  const port = await freePort();
  const child = spawn(program, args(port), {
    env: { ...process.env, PORT: String(port), DENO_NO_UPDATE_CHECK: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(async () => {
    const exited = once(child, "exit");
    if (child.kill("SIGKILL")) await exited;
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const url = `http://127.0.0.1:${port}/events`;
  while (!(await fetch(url, { method: "HEAD" }).catch(() => null))) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`Expected ${program} to serve, got ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url, said: () => said };
}

async function expectStream({ url, said }: Runtime): Promise<void> {
  const first = await follow(url);
  const text = await first.until("clock.ticked");
  const id = /^id: (\S+)\nevent: clock\.ticked/m.exec(text)?.[1] ?? "";
  first.leave();
  const second = await follow(url, { "Last-Event-ID": id });
  expect(await second.until("clock.ticked")).toContain('"resumed":true');
  expect((await fetch(url, { method: "POST" })).status).toBe(405);
  expect((await fetch(url, { headers: { Origin: "https://evil.example" } })).status).toBe(403);
  expect(said()).not.toMatch(/error/i);
}

async function mounted(mount: Mount, authorize: Authorize): Promise<Mounted> {
  const broker = new Broker({ observe: [], drain: { spreadMs: 0, deadlineMs: 2_000 } });
  const { server, close } = await mount(broker, authorize);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    await broker.close();
    server.closeAllConnections();
    await close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`, broker };
}

async function plain(server: Server): Promise<{ readonly server: Server; close(): Promise<unknown> }> {
  return { server, close: () => new Promise((resolve) => server.close(resolve)) };
}

async function follow(url: string, headers: Record<string, string> = {}): Promise<Reading> {
  const away = new AbortController();
  const response = await fetch(url, { headers, signal: away.signal });
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  return reading(response, () => away.abort());
}

interface Reading {
  /** Everything so far, once it holds this. */
  until(wanted: string): Promise<string>;
  leave(): void;
}

function reading({ body }: Response, leave?: () => void): Reading {
  if (body === null) throw new Error("Expected a body");
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const reading = {
    until: async (wanted: string) => {
      while (!text.includes(wanted)) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`Expected ${wanted}, got ${text}`);
        text += value;
      }
      return text;
    },
    leave: leave ?? (() => void reader.cancel()),
  };
  onTestFinished(() => reading.leave());
  return reading;
}

function file(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
