import type { Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { inspect } from "node:util";
import { gzipSync } from "node:zlib";
import { logTo, MemoryStore } from "@starcast/core";
import { makeKey } from "@starcast/standard-webhooks";
import { describe, expect, it } from "vitest";
import { freePort } from "../../../../tests/free-port.ts";
import { dial, type Dial } from "../../src/guarded-connect.ts";
import type { WebhookDispatcherOptions } from "../../src/index.ts";
import { authority, expiredCertificate, goodCertificate, serverKey } from "../certificates.ts";
import { house, listening, listeningRaw } from "../house.ts";
import { dnsServer } from "../loopback-dns.ts";
import { listen } from "../loopback.ts";

const key = makeKey();
// What JSON and URLs escape, and what they do not.
const headers = { authorization: 'Bearer "hunter2/hunter2+hunter2"', "x-token": "Plain-Secret-0123456789" };

/** Where deliveries go, and how they get there. */
interface Target extends Pick<WebhookDispatcherOptions, "allow" | "network"> {
  readonly url: string;
  close?(): PromiseLike<void>;
}

/** A receiver that answers with what it was sent, in a way of its own. */
const raw =
  (answer: (request: string, socket: Socket) => void): (() => Promise<Target>) =>
  async () => {
    let request = "";
    const to = await listeningRaw({
      onConnection: (socket) => socket.on("data", (bytes) => (request += bytes.toString("latin1"))),
      onRequest: (socket) => answer(request, socket),
    });
    return { url: to.origin, allow: [to.origin] };
  };

const says = (text: (request: string) => string): (() => Promise<Target>) =>
  raw((request, socket) => socket.end(text(request)));

/** Public by its name and address; what is dialled is loopback. */
async function named(host: string, cert: string): Promise<Target> {
  const server = createTlsServer({ cert, key: serverKey }, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => socket.end(`HTTP/1.1 500 Oops\r\n\r\n${bytes.toString("latin1")}`));
  });
  server.on("tlsClientError", () => undefined);
  const port = await listen(server);
  const rerouted: Dial = (target) => {
    const socket = dial({ ...target, addresses: ["127.0.0.1"], port });
    Object.defineProperty(socket, "remoteAddress", { value: "93.184.216.34" });
    return socket;
  };
  return {
    url: `https://${host}/`,
    network: { ca: [authority], lookup: () => Promise.resolve(["93.184.216.34"]), dial: rerouted },
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

async function unresolved(answer: "silence" | "nxdomain" | readonly string[]): Promise<Target> {
  const dns = await dnsServer(() => answer);
  return {
    url: "https://hooks.partner.com/",
    network: { dnsServers: [dns.address] },
    close: () => dns[Symbol.asyncDispose](),
  };
}

const fieldsOf = (request: string): readonly string[] => request.split("\r\n").slice(1);
const valueOf = (request: string, name: string): string =>
  fieldsOf(request)
    .find((field) => field.startsWith(`${name}: `))
    ?.slice(name.length + 2) ?? "";

const receivers: Readonly<Record<string, () => Promise<Target>>> = {
  "never answers": raw(() => undefined),
  "drips its head": raw((request, socket) =>
    socket.write(`HTTP/1.1 500 Oops\r\nX-Echo: ${valueOf(request, "x-token")}`),
  ),
  "drips its body": raw((request, socket) =>
    socket.write(`HTTP/1.1 500 Oops\r\nContent-Length: 9000\r\n\r\n${request}`),
  ),
  "never ends its body": raw((request, socket) => {
    socket.write("HTTP/1.1 500 Oops\r\n\r\n");
    while (socket.write(request));
  }),
  "pours out interim answers": says((request) =>
    `HTTP/1.1 103 Early Hints\r\nLink: ${valueOf(request, "x-token")}\r\n\r\n`.repeat(20),
  ),
  resets: raw((_, socket) => void socket.resetAndDestroy()),
  "half-closes": raw((_, socket) => void socket.end()),
  "has a huge head": says(
    (request) => `HTTP/1.1 500 Oops\r\n${`X-Echo: ${valueOf(request, "x-token")}\r\n`.repeat(900)}\r\n`,
  ),
  "echoes the request as it came": says((request) => request),
  "echoes it as the reason": says((request) => `HTTP/1.1 500 ${valueOf(request, "authorization")}\r\n\r\n`),
  "echoes it as what means something here": says(
    (request) =>
      `HTTP/1.1 500 Oops\r\nRetry-After: ${valueOf(request, "x-token")}\r\nWebhook-Delivery: ${valueOf(request, "x-token")}\r\n\r\n`,
  ),
  "echoes it as its body": says((request) => `HTTP/1.1 500 Oops\r\n\r\n${request}`),
  "echoes it in JSON": says((request) => `HTTP/1.1 500 Oops\r\n\r\n${JSON.stringify(request)}`),
  "echoes it in a URL": says((request) => `HTTP/1.1 307 Moved\r\n\r\n/?${encodeURIComponent(request)}`),
  "echoes it in lower case": says((request) => `HTTP/1.1 500 Oops\r\n\r\n${request.toLowerCase()}`),
  "echoes it in upper case": says((request) => `HTTP/1.1 500 Oops\r\n\r\n${request.toUpperCase()}`),
  "echoes it as PHP writes JSON": says(
    (request) => `HTTP/1.1 500 Oops\r\n\r\n${JSON.stringify(request).replaceAll("/", "\\/")}`,
  ),
  "echoes it in base64": says((request) => `HTTP/1.1 500 Oops\r\n\r\n${Buffer.from(request).toString("base64")}`),
  "echoes its parts in base64": says(
    (request) =>
      `HTTP/1.1 500 Oops\r\n\r\n${request
        .split(" ")
        .map((part) => Buffer.from(part).toString("base64url"))
        .join(" ")}`,
  ),
  "echoes the token alone": says(
    (request) => `HTTP/1.1 401 No\r\n\r\nnot valid: ${valueOf(request, "authorization").slice(7)}`,
  ),
  "says what it verifies with": says(() => `HTTP/1.1 500 Oops\r\n\r\n{"key":"${key}","raw":"${key.slice(6)}"}`),
  "echoes it in chunks": says((request) => {
    const chunks = request.match(/[^]{1,5}/g)?.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`) ?? [];
    return `HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join("")}0\r\n\r\n`;
  }),
  "echoes a part of it, and is cut off": says(
    (request) => `HTTP/1.1 500 Oops\r\nContent-Length: 9000\r\n\r\nsaid ${valueOf(request, "x-token").slice(0, -3)}`,
  ),
  "echoes it over the end of what is kept": says(
    (request) => `HTTP/1.1 500 Oops\r\n\r\n${" ".repeat(4_084)}${valueOf(request, "x-token")}`,
  ),
  "redirects to itself": says((request) => `HTTP/1.1 302 Found\r\nLocation: /${valueOf(request, "x-token")}\r\n\r\n`),
  "answers with a gzip bomb": async () => {
    const to = await listening((_, response) =>
      response.writeHead(500, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(4 * 1_048_576))),
    );
    return { url: to.origin, allow: [to.origin] };
  },
  "answers early": raw((_, socket) => socket.pause() && socket.write("HTTP/1.1 413 Too Large\r\n\r\nNo")),
  "is not there": async () => {
    const origin = `http://127.0.0.1:${await freePort()}`;
    return { url: origin, allow: [origin] };
  },
  "has a TLS name of another": () => named("other.partner.com", goodCertificate),
  "has an expired certificate": () => named("hooks.partner.com", expiredCertificate),
  "echoes it over TLS": () => named("hooks.partner.com", goodCertificate),
  "has a DNS that never answers": () => unresolved("silence"),
  "has no name": () => unresolved("nxdomain"),
  "has moved inside": () => unresolved(["127.0.0.1"]),
};

describe("of a receiver's keys and headers nothing is stored, logged or shown where it", () => {
  it.each(Object.entries(receivers))("%s", async (_, open) => {
    const { url, allow, network, close } = await open();
    const store = new MemoryStore();
    const encryptionKey = Buffer.alloc(32, 1).toString("base64");
    const attempt = { deadlineMs: 300, connectTimeoutMs: 200 };
    const at = house({
      store,
      encryptionKey,
      attempt,
      publishOutcomes: true,
      ...(allow && { allow }),
      ...(network && { network }),
    });
    await at.webhooks.endpoints.put({ id: "partner", url, allowHttp: url.startsWith("http:"), keys: [key], headers });
    await at.broker.publish("a.b", { n: 1 });
    await at.seen("webhookAttempted");
    await at.broker.close();
    await close?.();

    const lines: unknown[] = [];
    const write = (...parts: readonly unknown[]): void => void lines.push(parts);
    const log = logTo({ debug: write, info: write, warn: write }, { level: "debug", maxPerMinute: Infinity });
    for (const moment of at.moments) log(moment);
    const { deliveries } = await store.deliveries.list({}, { limit: 10 });
    expect(deliveries[0]?.attempts).not.toEqual([]);
    const shown = [at.moments, lines, deliveries, await store.records.list("")]
      .map((each) =>
        inspect(each, { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity, showHidden: true }),
      )
      .join("\n");
    expect(shown).not.toMatch(/hunter2|plain-secret|whsec_|v1,[A-Za-z0-9+/]{6}/i);
    expect(shown).not.toContain(key.slice(6, 40));
    // The same in base64, wherever it begins.
    const runs = shown.match(/[\w+/-]{16,}/g) ?? [];
    const decoded = runs.flatMap((run) =>
      [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), "base64").toString()),
    );
    expect(decoded.join("\n")).not.toMatch(/hunter2|plain-secret/i);
  });
});
